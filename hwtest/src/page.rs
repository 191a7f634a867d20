//! The report as a page for people: one file without anything from outside, light and dark, to be printed, too.

use std::fmt::Write;

use lectern_vod::hardware::{Coder, Family, FamilyReport, Trial, Work};

use crate::media::{Measured, Outcome, Report, Streams};

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1c2024;--soft:#5a6169;--line:#e3dfd7;--accent:#0b6b63}\
@media(prefers-color-scheme:dark){:root{--paper:#14181a;--card:#1c2124;--ink:#eceae5;--soft:#a9b0b6;--line:#31383c;\
--accent:#4fc0b4}}\
*{box-sizing:border-box}\
body{margin:0 auto;max-width:64rem;padding:2rem 1.5rem 4rem;background:var(--paper);color:var(--ink);\
font:1rem/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}\
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.25rem;margin:2.5rem 0 .75rem}\
p{margin:.5rem 0;max-width:42rem}.soft{color:var(--soft)}\
.box{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px}\
table{border-collapse:collapse;width:100%}caption{text-align:start;padding:.75rem 1rem;color:var(--soft)}\
th,td{padding:.5rem 1rem;text-align:start;vertical-align:top;border-top:1px solid var(--line)}\
thead th{border-top:0;font-weight:600;color:var(--soft)}tbody th{font-weight:600;white-space:nowrap}\
td.n,th.n{text-align:end;white-space:nowrap}.yes{color:var(--accent);font-weight:600}";

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let machine = &report.capabilities.machine;
    let mut html = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.push_str("<title>What this machine can do · Lectern</title>");
    let _ = write!(html, "<style>{STYLE}</style></head><body><main>");
    let memory = machine.memory_bytes as f64 / f64::from(1_u32 << 30);
    let _ = write!(
        html,
        "<h1>What this machine can do</h1><p>{}, {} cores, {memory:.0} GiB, Linux {}.</p>\
         <p class=\"soft\">Measured by Lectern {} at {}{}.</p>",
        text(&machine.processor),
        machine.cores,
        text(&machine.kernel),
        text(&report.capabilities.version),
        report.capabilities.made.strftime("%Y-%m-%d %H:%M UTC"),
        if report.is_quick {
            ", the short form"
        } else {
            ""
        },
    );
    let _ = write!(html, "<p><strong>{}</strong></p>", text(&summary(report)));
    chips(&mut html, &report.capabilities.families);
    speeds(&mut html, report);
    streams(&mut html, &report.streams);
    html.push_str("</main></body></html>\n");
    html
}

fn summary(report: &Report) -> String {
    let encodes = |(_, offer): &(Family, &_)| {
        let offer: &lectern_vod::hardware::ask::Offer = offer;
        offer.work == Work::Encode
    };
    let chip = report.capabilities.working().find(encodes);
    let full = report
        .streams
        .iter()
        .filter(|one| one.frames_per_second == 25)
        .max_by_key(|one| (one.height, one.at_once));
    let pace = full.map_or_else(String::new, |one| {
        format!(
            " It encodes {} lectures of {} lines at 25 frames a second at once, as fast as they are spoken.",
            one.at_once, one.height
        )
    });
    match chip {
        Some((family, _)) => format!("A chip encodes here ({}).{pace}", family.title()),
        None => format!("No chip encodes here: the processor does it.{pace}"),
    }
}

fn chips(html: &mut String, families: &[FamilyReport]) {
    html.push_str(
        "<h2>Chips</h2><div class=\"box\"><table><thead><tr><th scope=\"col\">Way</th>\
         <th scope=\"col\">Coder</th><th scope=\"col\">What came of the test clip</th></tr></thead><tbody>",
    );
    for report in families {
        let title = text(report.family.title());
        if let Some(refusal) = &report.refusal {
            let why = text(&refusal.to_string());
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{title}</th><td>–</td><td>{why}</td></tr>"
            );
        }
        for Coder { offer, trial } in &report.coders {
            let came = match trial {
                Trial::Works {
                    frames_per_second,
                    psnr_db,
                } => format!(
                    "<span class=\"yes\">works</span>, {frames_per_second:.0} frames/s, PSNR {psnr_db:.1} dB"
                ),
                Trial::Refused(refusal) => text(&refusal.to_string()),
            };
            let (element, codec) = (text(&offer.element), offer.codec.title());
            let way = way(offer.work);
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{title}</th><td>{codec}, {way} ({element})</td><td>{came}</td></tr>"
            );
        }
    }
    html.push_str("</tbody></table></div>");
}

fn speeds(html: &mut String, report: &Report) {
    html.push_str(
        "<h2>Speed and quality</h2><div class=\"box\"><table><caption>A film of much detail, one stream, as fast as it \
         goes. “Beside x264” is how much nearer (+) or farther (−) the picture is than that of x264 “veryfast” with as \
         many bytes.</caption><thead><tr><th scope=\"col\">Coder</th><th scope=\"col\" class=\"n\">Size</th>\
         <th scope=\"col\" class=\"n\">Frames/s</th><th scope=\"col\" class=\"n\">Mbit/s</th>\
         <th scope=\"col\" class=\"n\">PSNR</th><th scope=\"col\" class=\"n\">Beside x264</th>\
         <th scope=\"col\" class=\"n\">Watts</th></tr></thead><tbody>",
    );
    for one in &report.measured {
        row(html, one);
    }
    html.push_str("</tbody></table></div>");
    if let Some(why) = &report.no_watts {
        let _ = write!(html, "<p class=\"soft\">No watts: {}</p>", text(why));
    }
}

fn row(html: &mut String, one: &Measured) {
    let who = format!(
        "{}, {} ({})",
        one.offer.codec.title(),
        way(one.offer.work),
        one.offer.element
    );
    let _ = write!(
        html,
        "<tr><th scope=\"row\">{}</th><td class=\"n\">{} × {}</td>",
        text(&who),
        one.width,
        one.height
    );
    let _ = match &one.outcome {
        Outcome::Works(figures) => {
            let or_none = |figure: Option<String>| figure.unwrap_or_else(|| "–".into());
            write!(
                html,
                "<td class=\"n\">{:.0}</td><td class=\"n\">{:.1}</td><td class=\"n\">{:.1} dB</td>\
                 <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                figures.frames_per_second,
                figures.bitrate_bps as f64 / 1e6,
                figures.psnr_db,
                or_none(
                    figures
                        .beside_x264_db
                        .map(|db| format!("{db:+.1} dB").replace('-', "−"))
                ),
                or_none(figures.watts.map(|watts| format!("{watts:.0}"))),
            )
        }
        Outcome::Refused(refusal) => {
            write!(
                html,
                "<td colspan=\"5\">{}</td></tr>",
                text(&refusal.to_string())
            )
        }
    };
}

fn streams(html: &mut String, streams: &[Streams]) {
    if streams.is_empty() {
        return;
    }
    html.push_str(
        "<h2>Streams at once</h2><div class=\"box\"><table><caption>So many run beside each other, and none falls behind \
         its own rate.</caption><thead><tr><th scope=\"col\">Coder</th><th scope=\"col\" class=\"n\">Lines</th>\
         <th scope=\"col\" class=\"n\">Frames/s of each</th><th scope=\"col\" class=\"n\">At once</th></tr></thead><tbody>",
    );
    for one in streams {
        let _ = write!(
            html,
            "<tr><th scope=\"row\">{} ({})</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            one.offer.codec.title(),
            text(&one.offer.element),
            one.height,
            one.frames_per_second,
            one.at_once
        );
    }
    html.push_str("</tbody></table></div>");
}

fn way(work: Work) -> &'static str {
    match work {
        Work::Encode => "encoding",
        Work::Decode => "decoding",
    }
}

/// A driver's words are anything.
fn text(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for character in raw.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            other => text.push(other),
        }
    }
    text
}
