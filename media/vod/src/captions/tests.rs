use proptest::prelude::*;

use super::*;

fn vtt(text: &str) -> Result<Captions, Error> {
    parse(text.as_bytes(), Some(Format::WebVtt))
}

fn srt(text: &str) -> Result<Captions, Error> {
    parse(text.as_bytes(), Some(Format::SubRip))
}

#[test]
fn webvtt_comes_out_plain() {
    let captions = vtt("WEBVTT - a title\r\nKind: captions\r\n\r\n\
        STYLE\r\n::cue { background: url(http://x) }\r\n\r\n\
        NOTE by the author\r\n\r\n\
        intro\r\n00:01.000 --> 00:02.500 align:start line:0 region:r1 line:1\r\n\
        <v Ada>Hello & <b>welcome</b>\r\n<font color=red>to</font> 1 < 2\r\n")
    .unwrap();
    assert_eq!(
        captions.to_vtt(),
        "WEBVTT\n\nintro\n00:00:01.000 --> 00:00:02.500 align:start line:0\n\
         <v Ada>Hello &amp; <b>welcome</b>\nto 1 &lt; 2\n"
    );
    let line = captions.transcript().next().unwrap();
    assert_eq!(line.speaker.as_deref(), Some("Ada"));
    assert_eq!(line.text, "Hello & welcome to 1 < 2");
}

#[test]
fn subrip_becomes_webvtt() {
    let captions = srt(
        "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}Two --> three\n\n\n\
                        2\n0:00:03.000 --> 0:00:04,500 X1:10 X2:20\n<i>Four</i>\n \n",
    )
    .unwrap();
    assert_eq!(
        captions.to_vtt(),
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nTwo --&gt; three\n\n\
         00:00:03.000 --> 00:00:04.500\n<i>Four</i>\n"
    );
}

#[test]
fn the_first_line_decides_what_a_file_is() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\na\n";
    assert!(srt(text).is_ok());
    assert!(parse(b"1\n00:00:01,000 --> 00:00:02,000\na", None).is_ok());
}

#[test]
fn cues_are_put_in_order() {
    let captions =
        srt("1\n00:00:05,000 --> 00:00:06,000\nb\n\n2\n00:00:01,000 --> 00:00:02,000\na").unwrap();
    let words: Vec<_> = captions.transcript().map(|line| line.text).collect();
    assert_eq!(words, ["a", "b"]);
    assert_eq!(captions.end_ms(), 6000);
}

#[test]
fn old_line_ends_and_utf_16_are_read() {
    assert!(vtt("WEBVTT\r\r00:01.000 --> 00:02.000\ra\r").is_ok());
    let utf16: Vec<u8> = "\u{feff}1\r\n00:00:01,000 --> 00:00:02,000\r\nZürich\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let captions = parse(&utf16, Some(Format::SubRip)).unwrap();
    assert_eq!(captions.cues()[0].text, "Zürich");
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let long = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{}\n", "x".repeat(2001));
    let tall = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{}", "x\n".repeat(51));
    for (text, format, line, part) in [
        ("", Format::WebVtt, 1, "empty"),
        ("\n\n", Format::SubRip, 1, "empty"),
        ("hello", Format::WebVtt, 1, "begins with the line WEBVTT"),
        ("hello", Format::SubRip, 1, "neither WebVTT"),
        ("WEBVTTX\n\n", Format::WebVtt, 1, "begins with"),
        ("WEBVTT\n\n\n", Format::WebVtt, 4, "no captions"),
        (
            "WEBVTT\n00:01.000 --> 00:02.000\na",
            Format::WebVtt,
            2,
            "empty line is missing",
        ),
        (
            "WEBVTT\n\nhello",
            Format::WebVtt,
            3,
            "begins with its times",
        ),
        (
            "WEBVTT\n\n1\n00:01,000 --> 00:02.000\na",
            Format::WebVtt,
            4,
            "\"00:01,000\" is no time",
        ),
        (
            "WEBVTT\n\n00:61.000 --> 01:02.000\na",
            Format::WebVtt,
            3,
            "is no time",
        ),
        (
            "WEBVTT\n\n00:03.000 --> 00:02.000\na",
            Format::WebVtt,
            3,
            "ends at 00:00:02.000, not after",
        ),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb",
            Format::WebVtt,
            5,
            "empty line is missing before",
        ),
        (
            "1\n00:00:01,000 --> 00:00:02,000\na\n\nb\n",
            Format::SubRip,
            5,
            "number and its times",
        ),
        (
            "1\n\n00:00:01,000 --> 00:00:02,000\na",
            Format::SubRip,
            1,
            "number and its times",
        ),
        (
            "WEBVTT\n\n99:59:59.000 --> 100:00:01.000\na",
            Format::WebVtt,
            3,
            "more than 100 hours",
        ),
        (&long, Format::WebVtt, 4, "longer than 2000"),
        (&tall, Format::WebVtt, 4, "more than 50 lines"),
    ] {
        let error = parse(text.as_bytes(), Some(format)).unwrap_err();
        assert_eq!(error.line, line, "{text:?}: {error}");
        assert!(error.message.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn another_encoding_is_named_with_its_line() {
    let error = parse(b"1\n00:00:01,000 --> 00:00:02,000\nZ\xfcrich", None).unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.message.contains("save it as UTF-8"));
}

#[test]
fn sizes_are_bounded() {
    assert!(
        parse(&vec![b'a'; MAX_BYTES + 1], None)
            .unwrap_err()
            .message
            .contains("larger than 4 MiB")
    );
    let many = "00:00:01,000 --> 00:00:02,000\na\n\n".repeat(MAX_CUES + 1);
    assert!(srt(&many).unwrap_err().message.contains("more than 50000"));
}

#[test]
fn unknown_markup_goes_and_arrows_cannot_appear() {
    for (from, to) in [
        ("<script>x</script>", "x"),
        ("<b.loud>x</b>", "<b.loud>x</b>"),
        ("<c.a.\"b\">x</c>", "<c.a>x</c>"),
        ("<00:01.000>x", "<00:00:01.000>x"),
        ("<v  A  &  B>x", "<v A and B>x"),
        ("a <- b -> c", "a &lt;- b -&gt; c"),
        ("&amp;&lt;&unknown;&#60;", "&amp;&lt;&amp;unknown;&amp;#60;"),
        ("<<b>b>", "&lt;<b>b&gt;"),
        ("<b", "&lt;b"),
        ("</>x", "x"),
        ("<v a -->x", "<v a>x"),
        ("<c.a-->x", "<c.a>x"),
        ("<v Dr.>x", "<v Dr.>x"),
    ] {
        assert_eq!(markup::clean(from), to);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, None);
        let _ = parse(&bytes, Some(Format::WebVtt));
        let _ = parse(&[b"WEBVTT\n\n00:01.000 --> 00:02.000\n".as_slice(), &bytes].concat(), None);
    }

    #[test]
    fn what_is_printed_reads_back_the_same(
        text in "(WEBVTT\n\n)?(([a-zN&<>/.:\\- \t\n]{0,8}\n)?(0[0-9]:){1,2}0[0-9][.,]000 --> 1:?[0-9]{2}:[0-9]{2}[.,]000( [a-z:,%0-9]{0,12})?\n[a-z&;<>/. v{}\\\\\n-]{0,40}\n\n){0,4}"
    ) {
        for hint in [Format::WebVtt, Format::SubRip] {
            if let Ok(captions) = parse(text.as_bytes(), Some(hint)) {
                let printed = captions.to_vtt();
                prop_assert_eq!(parse(printed.as_bytes(), None), Ok(captions), "{}", printed);
            }
        }
    }

    #[test]
    fn cues_survive_whatever_their_text(
        cues in prop::collection::vec((0_u64..100_000, 1_u64..10_000, "\\PC{1,60}"), 1..10)
    ) {
        let mut file = String::new();
        for (i, (start, length, text)) in cues.iter().enumerate() {
            let (start, end) = (clock(*start), clock(start + length));
            file.push_str(&format!("{i}\n{start} --> {end}\n{text}\n\n"));
        }
        if let Ok(captions) = srt(&file) {
            let printed = captions.to_vtt();
            prop_assert_eq!(vtt(&printed).unwrap(), captions);
        }
    }

    #[test]
    fn cleaning_twice_is_cleaning_once(text in "([a-c<>&;/. v\n-]|<v |<c\\.){0,60}") {
        let once = markup::clean(&text);
        prop_assert!(!once.contains("-->"));
        prop_assert_eq!(markup::clean(&once), once);
    }
}

const TTML: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    xml:lang="en" ttp:frameRate="25" ttp:tickRate="1000">
  <head>
    <metadata><ttm:agent xml:id="ada" type="person"><ttm:name type="full">Ada Obi</ttm:name></ttm:agent></metadata>
    <styling>
      <style xml:id="said" tts:textAlign="center"/>
      <style xml:id="slanted" tts:fontStyle="italic"/>
    </styling>
    <layout>
      <region xml:id="top" tts:origin="10% 5%" tts:extent="80% 15%" tts:displayAlign="before"/>
      <region xml:id="bottom" tts:origin="10% 80%" tts:extent="80% 15%" tts:displayAlign="after"/>
      <region xml:id="left"><style tts:origin="5% 40%"/><style tts:extent="40% 20%"/></region>
    </layout>
  </head>
  <body begin="1s">
    <div>
      <p begin="00:00:01.5" end="00:00:04" region="bottom" ttm:agent="ada" style="said">Force
         equals<br/>mass &amp; <span style="slanted" tts:fontWeight="bold">acceleration</span></p>
      <p begin="00:00:04:05" dur="50f" region="top" tts:textAlign="right">a &lt; b</p>
      <p region="left"><span begin="10s" end="11s">one</span><span begin="11000t" end="12000t">two</span></p>
    </div>
  </body>
</tt>"##;

#[test]
fn ttml_becomes_webvtt_with_its_voices_places_and_looks() {
    let captions = parse(TTML.as_bytes(), None).unwrap();
    let vtt = captions.to_vtt();
    assert_eq!(
        vtt,
        "WEBVTT\n\n\
         00:00:02.500 --> 00:00:05.000\n<v Ada Obi>Force equals\nmass &amp; <b><i>acceleration</i></b>\n\n\
         00:00:05.200 --> 00:00:07.200 line:5% align:right\na &lt; b\n\n\
         00:00:11.000 --> 00:00:12.000 line:40% position:25%,center size:40%\none\n\n\
         00:00:12.000 --> 00:00:13.000 line:40% position:25%,center size:40%\ntwo\n"
    );
    assert_eq!(parse(vtt.as_bytes(), None), Ok(captions));
}

#[test]
fn ttml_that_is_wrong_is_said_with_its_line() {
    let around = |body: &str| format!("<tt>\n<body>\n<div>\n{body}\n</div></body></tt>");
    for (text, line, words) in [
        (
            around("<p begin=\"1s\" end=\"x\">a</p>"),
            4,
            "\"x\" is no time",
        ),
        (
            around("<p begin=\"2s\" end=\"1s\">a</p>"),
            4,
            "not after it begins",
        ),
        (around("<p begin=\"2s\">a</p>"), 4, "has no end"),
        (around("<p begin=\"1s\" end=\"2s\">&nope;</p>"), 4, "entity"),
        (around("<p begin=\"1s\" end=\"2s\">a"), 5, "broken"),
        ("<tt>\n<body>".to_owned(), 2, "cut short"),
        ("<html></html>".to_owned(), 1, "no TTML"),
        (
            "<!DOCTYPE tt [<!ENTITY a \"b\">]><tt/>".to_owned(),
            1,
            "document type",
        ),
        ("<tt timeBase=\"smpte\"></tt>".to_owned(), 1, "smpte"),
        (around(&"<div>".repeat(100)), 4, "deep"),
        ("<tt></tt>".to_owned(), 1, "no captions"),
    ] {
        let refused = parse(text.as_bytes(), Some(Format::Ttml)).unwrap_err();
        assert!(refused.message.contains(words), "{text}: {refused}");
        assert_eq!(refused.line, line, "{text}: {refused}");
    }
}
