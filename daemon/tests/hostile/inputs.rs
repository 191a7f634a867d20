//! Files that somebody made to do harm, or that broke in the worst place.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is to become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A sentence says what is wrong with it.
    Fails,
    /// What is good of it plays, or a sentence says what is wrong with it.
    Either,
}

/// One file.
pub struct Input {
    /// What is wrong with it.
    pub name: &'static str,
    /// Where it lies.
    pub path: PathBuf,
    /// What is to become of it.
    pub outcome: Outcome,
}

/// Length of what is so long that it must not be held in memory.
const GIGABYTE: u64 = 1 << 30;

/// Writes all of them into `folder`. `film` is a good MP4.
pub fn write_all(folder: &Path, film: &Path) -> Vec<Input> {
    use Outcome::{Either, Fails};
    let mut all = Vec::new();
    let good = fs::read(film).unwrap();
    let mut put = |name: &'static str, outcome: Outcome, bytes: &[u8]| {
        let path = folder.join(format!("{}.bin", name.replace(' ', "-")));
        fs::write(&path, bytes).unwrap();
        all.push(Input {
            name,
            path,
            outcome,
        });
    };

    put("half of a film", Fails, &good[..good.len() / 2]);
    put("the head of a film", Fails, &good[..3000]);
    put("noise", Fails, &noise(1_000_000));
    put(
        "noise behind a film's first bytes",
        Fails,
        &[&good[..32], &noise(1_000_000)].concat(),
    );
    put(
        "noise in the middle of a film",
        Either,
        &with_noise_within(&good),
    );
    put("boxes within boxes", Fails, &nested_boxes(200_000));
    put(
        "fragments without end",
        Fails,
        &empty_fragments(&fragmented(folder), 300_000),
    );
    put(
        "a box of 2^64 bytes",
        Fails,
        &[
            boxed(b"ftyp", b"isom\0\0\0\0isom").as_slice(),
            &[0, 0, 0, 1],
            b"moov",
            &[0xff; 8],
        ]
        .concat(),
    );
    put(
        "a table of 2^32 samples",
        Either,
        &in_each_box(&good, b"stsz", |body| body[8..12].fill(0xff)),
    );
    put(
        "a table of 2^32 samples of one byte",
        Either,
        &in_each_box(&good, b"stsz", |body| {
            body[4..12].copy_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])
        }),
    );
    put(
        "times of 2^32 samples",
        Either,
        &in_each_box(&good, b"stts", |body| body[8..16].fill(0xff)),
    );
    put(
        "chunks beyond the file",
        Either,
        &in_each_box(&good, b"stco", |body| body[8..].fill(0xff)),
    );
    put(
        "a film of 2^32 seconds",
        Either,
        &in_each_box(&good, b"mvhd", |body| {
            body[12..20].copy_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])
        }),
    );
    put(
        "a time scale of 0",
        Either,
        &in_each_box(&good, b"mdhd", |body| body[12..16].fill(0)),
    );
    put(
        "a film whose media lie elsewhere",
        Either,
        &elsewhere(&good),
    );

    let mjpeg = made(
        folder,
        "m.avi",
        "-f lavfi -i testsrc2=s=64x64:d=1:r=5 -c:v mjpeg",
    );
    put(
        "photographs of 40000 x 40000",
        Fails,
        &with_large_photographs(mjpeg.clone(), true),
    );
    put(
        "photographs that are larger than they say",
        Fails,
        &with_large_photographs(mjpeg, false),
    );
    let png = made(
        folder,
        "p.mov",
        "-f lavfi -i testsrc2=s=64x64:d=1:r=5 -c:v png",
    );
    put(
        "drawings of 40000 x 40000",
        Fails,
        &with_large_drawings(png.clone(), true),
    );
    put(
        "drawings that are larger than they say",
        Fails,
        &with_large_drawings(png, false),
    );
    put(
        "raw pictures of 40000 x 40000",
        Fails,
        &matroska_of_raw_pictures(40_000),
    );

    let mkv = made(
        folder,
        "t.mkv",
        "-f lavfi -i testsrc2=s=64x64:d=2:r=5 -c:v libx264",
    );
    put(
        "times at the end of 64 bits",
        Either,
        &with_cluster_times(&mkv, [0xff; 8]),
    );
    put(
        "times in the middle of 64 bits",
        Either,
        &with_cluster_times(&mkv, [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    );
    put(
        "noise behind a Matroska header",
        Fails,
        &[&mkv[..60], &noise(1_000_000)].concat(),
    );
    put(
        "a gigabyte that is compressed",
        Fails,
        &compressed_bomb(&folder.join("zeros.z")),
    );

    put(
        "a list that names a file of the box",
        Fails,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    );
    put(
        "a list for ffmpeg that names a file",
        Fails,
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    );
    put(
        "subtitles that name a file",
        Either,
        &avi_with_a_list(folder),
    );
    put("a page that names files", Fails, b"<?xml version=\"1.0\"?><!DOCTYPE MPD [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"><BaseURL>&a;</BaseURL></MPD>");
    put(
        "an archive",
        Fails,
        &[b"PK\x03\x04\x14\0\0\0\x08\0".as_slice(), &noise(5000)].concat(),
    );
    put("packets of nothing", Fails, &null_packets(50_000));
    put("pages of Ogg without end", Fails, &ogg_pages(100_000));
    put("sound without channels", Fails, &wav(0, 48_000));
    put("sound of 2^32 samples a second", Fails, &wav(2, u32::MAX));
    put(
        "tags of 256 MiB before nothing",
        Fails,
        &[b"ID3\x03\0\0\x7f\x7f\x7f\x7f".as_slice(), &noise(2000)].concat(),
    );

    let long = folder.join("a-subtitle-of-one-line-of-a-gigabyte.bin");
    subtitle_of(&long, &mkv_with_subtitle(folder), GIGABYTE);
    all.push(Input {
        name: "a subtitle of one line of a gigabyte",
        path: long,
        outcome: Either,
    });
    all
}

/// The same noise each time.
fn noise(length: usize) -> Vec<u8> {
    let mut dice = 0x2545_f491_u32;
    let roll = |_| {
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        dice.to_le_bytes()[1]
    };
    (0..length).map(roll).collect()
}

fn with_noise_within(film: &[u8]) -> Vec<u8> {
    let mut bytes = film.to_vec();
    let third = bytes.len() / 3;
    let noise = noise(third);
    bytes[third..2 * third].copy_from_slice(&noise);
    bytes
}

/// What ffmpeg makes with these arguments.
fn made(folder: &Path, name: &str, arguments: &str) -> Vec<u8> {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments.split(' '))
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success(), "ffmpeg {arguments}");
    fs::read(path).unwrap()
}

fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).unwrap();
    [&length.to_be_bytes(), name.as_slice(), body].concat()
}

fn nested_boxes(depth: usize) -> Vec<u8> {
    let mut bytes = boxed(b"ftyp", b"isom\0\0\0\0isom");
    for level in 0..depth {
        let left = u32::try_from((depth - level) * 8).unwrap();
        bytes.extend(left.to_be_bytes());
        bytes.extend(if level == 0 { b"moov" } else { b"trak" });
    }
    bytes
}

/// A film of one fragment.
fn fragmented(folder: &Path) -> Vec<u8> {
    let how =
        "-f lavfi -i testsrc2=s=64x64:d=1:r=5 -c:v libx264 -movflags empty_moov+default_base_moof";
    made(folder, "f.mp4", how)
}

/// Its head, and then fragments that hold nothing.
fn empty_fragments(film: &[u8], count: u32) -> Vec<u8> {
    let head = find(film, b"moof").next().unwrap() - 4;
    let mut bytes = film[..head].to_vec();
    for number in 0..count {
        let sequence = boxed(b"mfhd", &[[0; 4], number.to_be_bytes()].concat());
        let track = boxed(b"tfhd", &[0, 2, 0, 0, 0, 0, 0, 1]);
        let samples = boxed(b"trun", &[0; 8]);
        let traf = boxed(b"traf", &[track, samples].concat());
        bytes.extend(boxed(b"moof", &[sequence, traf].concat()));
        bytes.extend(boxed(b"mdat", b""));
    }
    bytes
}

/// Where `pattern` begins, each time.
fn find<'a>(bytes: &'a [u8], pattern: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = bytes.windows(pattern.len()).enumerate();
    windows.filter_map(move |(at, window)| (window == pattern).then_some(at))
}

/// The film with the bodies of all boxes of that name changed.
fn in_each_box(film: &[u8], name: &[u8; 4], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut bytes = film.to_vec();
    let places: Vec<usize> = find(film, name).collect();
    assert!(!places.is_empty());
    for at in places {
        let length = u32::from_be_bytes(film[at - 4..at].try_into().unwrap());
        let body = at + 4..at - 4 + length as usize;
        change(&mut bytes[body]);
    }
    bytes
}

/// Its reference to its own media becomes one to a file of the box.
fn elsewhere(film: &[u8]) -> Vec<u8> {
    in_each_box(film, b"dref", |body| {
        // The entry `url ` with the flag "in this file" taken away.
        body[8 + 8..8 + 12].fill(0);
    })
}

/// Writes `value` so far behind the beginning of each `pattern`.
fn write_behind(bytes: &mut [u8], pattern: &[u8], by: usize, value: &[u8]) {
    let places: Vec<usize> = find(bytes, pattern).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + by..at + by + value.len()].copy_from_slice(value);
    }
}

/// `says_so`: its container, too.
fn with_large_photographs(mut avi: Vec<u8>, says_so: bool) -> Vec<u8> {
    let size = [40_000_u16.to_be_bytes(); 2].concat();
    write_behind(&mut avi, &[0xff, 0xc0], 5, &size);
    if says_so {
        let size = [40_000_u32.to_le_bytes(); 2].concat();
        write_behind(&mut avi, b"strf", 12, &size);
    }
    avi
}

/// `says_so`: its container, too.
fn with_large_drawings(mut mov: Vec<u8>, says_so: bool) -> Vec<u8> {
    let size = [40_000_u32.to_be_bytes(); 2].concat();
    write_behind(&mut mov, b"IHDR", 4, &size);
    if says_so {
        let size = [40_000_u16.to_be_bytes(); 2].concat();
        write_behind(&mut mov, b"png ", 28, &size);
    }
    mov
}

/// An element of Matroska with a length of eight bytes.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    [id, &length_of(body.len() as u64), body].concat()
}

fn length_of(bytes: u64) -> [u8; 8] {
    (bytes | 1 << 56).to_be_bytes()
}

fn matroska(tracks: &[u8], clusters: &[u8]) -> Vec<u8> {
    let head = element(
        &[0x1a, 0x45, 0xdf, 0xa3],
        &element(&[0x42, 0x82], b"matroska"),
    );
    let info = element(
        &[0x15, 0x49, 0xa9, 0x66],
        &element(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]),
    );
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], tracks);
    let segment = element(
        &[0x18, 0x53, 0x80, 0x67],
        &[info, tracks, clusters.to_vec()].concat(),
    );
    [head, segment].concat()
}

fn video_track(side: u16, codec: &[u8], more: &[u8]) -> Vec<u8> {
    let pixels = [
        element(&[0xb0], &side.to_be_bytes()),
        element(&[0xba], &side.to_be_bytes()),
        element(&[0x2e, 0xb5, 0x24], b"I420"),
    ]
    .concat();
    let parts = [
        element(&[0xd7], &[1]),
        element(&[0x73, 0xc5], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], codec),
        element(&[0xe0], &pixels),
        more.to_vec(),
    ];
    element(&[0xae], &parts.concat())
}

fn cluster_of(block: &[u8]) -> Vec<u8> {
    let block = [&[0x81, 0, 0, 0x80], block].concat();
    let parts = [element(&[0xe7], &[0]), element(&[0xa3], &block)];
    element(&[0x1f, 0x43, 0xb6, 0x75], &parts.concat())
}

fn matroska_of_raw_pictures(side: u16) -> Vec<u8> {
    let cluster = cluster_of(&[0; 4000]);
    matroska(
        &video_track(side, b"V_UNCOMPRESSED", &[]),
        &cluster.repeat(20),
    )
}

/// Blocks of 1 MB that become 1 GB each.
fn compressed_bomb(scratch: &Path) -> Vec<u8> {
    const BOMB: &str = "import sys, zlib\nz = zlib.compressobj(9)\nwith open(sys.argv[1], 'wb') as f:\n    for _ in range(1024):\n        f.write(z.compress(bytes(1 << 20)))\n    f.write(z.flush())\n";
    let status = Command::new("python3")
        .args(["-c", BOMB])
        .arg(scratch)
        .status()
        .unwrap();
    assert!(status.success());
    let bomb = fs::read(scratch).unwrap();
    let zlib = element(&[0x50, 0x34], &element(&[0x42, 0x54], &[0]));
    let encoding = element(&[0x6d, 0x80], &element(&[0x62, 0x40], &zlib));
    let cluster = cluster_of(&bomb);
    matroska(
        &video_track(64, b"V_MPEG4/ISO/AVC", &encoding),
        &cluster.repeat(4),
    )
}

/// Each cluster's time as one of eight bytes.
fn with_cluster_times(mkv: &[u8], time: [u8; 8]) -> Vec<u8> {
    const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
    let first = find(mkv, &CLUSTER).next().unwrap();
    // Behind the name: a length that nothing depends on any more, and then the time.
    let mut bytes = mkv[..first].to_vec();
    for at in find(mkv, &CLUSTER) {
        let blocks = &mkv[at + 4..];
        let simple = blocks.iter().position(|byte| *byte == 0xa3).unwrap();
        let rest = &blocks[simple..blocks.len().min(simple + 3000)];
        bytes.extend(element(
            &CLUSTER,
            &[element(&[0xe7], &time), rest.to_vec()].concat(),
        ));
    }
    bytes
}

/// An AVI whose subtitle is a list that names a file of the box.
fn avi_with_a_list(folder: &Path) -> Vec<u8> {
    let avi = made(
        folder,
        "s.avi",
        "-f lavfi -i testsrc2=s=64x64:d=1:r=5 -c:v mpeg4",
    );
    let list = b"GAB2\0\x02\0\x02\0\0\0a\0\x04\0\x60\0\0\0#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    let mut bytes = avi;
    bytes.extend(b"01tx");
    bytes.extend(u32::try_from(list.len()).unwrap().to_le_bytes());
    bytes.extend(list);
    bytes
}

fn null_packets(count: usize) -> Vec<u8> {
    let mut packet = [0xff; 188];
    packet[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    packet.repeat(count)
}

fn ogg_pages(count: usize) -> Vec<u8> {
    let page = [
        b"OggS\0\x02".as_slice(),
        &[0; 8],
        &[1, 0, 0, 0],
        &[0; 8],
        &[1, 1, 0x80],
    ]
    .concat();
    page.repeat(count)
}

fn wav(channels: u16, rate: u32) -> Vec<u8> {
    let form = [
        &1_u16.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &rate.wrapping_mul(4).to_le_bytes(),
        &4_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
    ]
    .concat();
    let long = u32::MAX.to_le_bytes();
    [
        b"RIFF".as_slice(),
        &long,
        b"WAVEfmt \x10\0\0\0",
        &form,
        b"data",
        &long,
        &[0; 20_000],
    ]
    .concat()
}

fn mkv_with_subtitle(folder: &Path) -> Vec<u8> {
    let srt = folder.join("s.srt");
    fs::write(&srt, "1\n00:00:00,000 --> 00:00:01,000\nHello\n").unwrap();
    let how = format!(
        "-f lavfi -i testsrc2=s=64x64:d=2:r=5 -i {} -c:v libx264 -c:s srt",
        srt.display()
    );
    made(folder, "s.mkv", &how)
}

/// The film and one more cluster, whose subtitle (the second track) has so many letters in one line.
fn subtitle_of(path: &Path, film: &[u8], letters: u64) {
    const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
    let segment = find(film, &[0x18, 0x53, 0x80, 0x67]).next().unwrap();
    let first = find(film, &CLUSTER).next().unwrap();
    let mut file = File::create(path).unwrap();
    // A segment of unknown length: there is more behind it than it knew of.
    file.write_all(&film[..segment + 4]).unwrap();
    file.write_all(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        .unwrap();
    file.write_all(&film[segment + 12..first]).unwrap();
    let group = letters + 1 + 8 + 4;
    let time = element(&[0xe7], &[0]);
    file.write_all(&CLUSTER).unwrap();
    file.write_all(&length_of(time.len() as u64 + 9 + group))
        .unwrap();
    file.write_all(&time).unwrap();
    file.write_all(&[0xa0]).unwrap();
    file.write_all(&length_of(group)).unwrap();
    file.write_all(&[0xa1]).unwrap();
    file.write_all(&length_of(letters + 4)).unwrap();
    file.write_all(&[0x82, 0, 0, 0]).unwrap();
    std::io::copy(&mut std::io::repeat(b'a').take(letters), &mut file).unwrap();
    file.write_all(&film[first..]).unwrap();
}
