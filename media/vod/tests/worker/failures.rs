//! Bad input: one sentence for the person who uploaded it, and no second try where it would not help.

use std::fs;
use std::path::PathBuf;

use lectern_vod::protocol::Remedy;
use tempfile::TempDir;

use super::run::fail;
use super::source;

#[test]
fn each_bad_file_gets_its_sentence() {
    let folder = TempDir::new().unwrap();
    let written = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let sample = fs::read(source::sample()).unwrap();
    let mut dice = 0x2545_f491_u32;
    let noise: Vec<u8> = (0..400_000)
        .map(|_| {
            dice ^= dice << 13;
            dice ^= dice >> 17;
            dice ^= dice << 5;
            dice.to_le_bytes()[1]
        })
        .collect();
    let picture = fs::read(source::make(
        folder.path(),
        "p.png",
        "-f lavfi -i testsrc2=s=64x64 -frames:v 1",
    ))
    .unwrap();
    let captions = source::make(
        folder.path(),
        "mute.mkv",
        "-f lavfi -i sine=d=1 -c:a pcm_s16le",
    );
    let captions = fs::read(captions).unwrap();
    let text = "one line of text, and another\n".repeat(99);
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.mp4", b"", "empty"),
        ("noise.mp4", &noise, "not a video or sound file"),
        ("picture.mp4", &picture, "still picture (PNG)"),
        (
            "cut.mp4",
            &sample[..sample.len() / 2],
            "cut short: only 50 % of it arrived",
        ),
        ("head.mp4", &sample[..40], "cut short"),
        ("text.mp4", text.as_bytes(), "a text, not a video"),
        (
            "paper.mp4",
            b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
            "PDF",
        ),
        (
            "page.mp4",
            b"<!DOCTYPE html><html><body>404 not found</body></html>",
            "not a video",
        ),
        ("cut.mkv", &captions[..200], ""),
    ];
    for (name, bytes, words) in cases {
        let (sentence, remedy) = fail(&written(name, bytes));
        assert!(
            sentence.contains(words),
            "{name}: {sentence:?} lacks {words:?}"
        );
        assert!(
            sentence.ends_with('.') && !sentence.contains('/'),
            "{name}: {sentence:?}"
        );
        assert_eq!(remedy, Remedy::None, "{name}: the file will not get better");
    }
}

#[test]
fn a_large_film_that_ends_early_fails_though_it_could_be_played_so_far() {
    // Beyond 64 MiB the probe believes the header and does not read to the end.
    let folder = TempDir::new().unwrap();
    for (name, seconds, codec, words) in [
        ("cut.mkv", 8, "huffyuv", "it says that it lasts 0:08, but"),
        (
            "cut.flv",
            12,
            "flv1 -q 1",
            "it says that it lasts 0:12, but",
        ),
        ("cut.avi", 8, "huffyuv", "only 5"),
    ] {
        let whole = source::make(
            folder.path(),
            name,
            &format!(
                "-f lavfi -i testsrc2=s=640x360:r=25:d={seconds},noise=alls=60:allf=t -c:v {codec}"
            ),
        );
        let length = fs::metadata(&whole).unwrap().len();
        let cut = 68 << 20;
        assert!(cut < length / 4 * 3, "{name} has only {length} bytes");
        fs::File::options()
            .write(true)
            .open(&whole)
            .unwrap()
            .set_len(cut)
            .unwrap();
        let (sentence, remedy) = fail(&whole);
        assert!(
            sentence.contains(&format!("cut short: {words}")),
            "{name}: {sentence}"
        );
        assert_eq!(remedy, Remedy::None, "{name}");
    }
}

#[test]
fn a_film_whose_middle_is_noise_fails_or_plays_but_ends() {
    let folder = TempDir::new().unwrap();
    let mut bytes = fs::read(source::sample()).unwrap();
    let third = bytes.len() / 3;
    for (i, byte) in bytes[third..2 * third].iter_mut().enumerate() {
        *byte = u8::try_from(i * 7919 % 251).unwrap();
    }
    let path = folder.path().join("noise.mp4");
    fs::write(&path, bytes).unwrap();
    let messages = super::run::messages(&path, folder.path());
    assert!(!messages.is_empty());
}
