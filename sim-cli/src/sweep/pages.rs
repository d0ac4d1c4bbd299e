//! The report of an experiment as pages: `report.md` with pictures beside it, `report.html` with everything in it.

use std::fmt::Write as _;
use std::path::Path;

use super::words::paragraph;
use crate::chart;
use crate::files;
use crate::letters::visible;
use crate::picture::FORMATS;
use crate::picture::sheet::Sheet;
use crate::report::sweep::{Report, level};
use sim_core::experiment::Metric;

/// A table in a page has no more rows; results.csv has all.
const ROWS: usize = 200;

/// What is said of a metric.
struct Section {
    metric: String,
    /// The name of the picture's file.
    file: String,
    paragraph: String,
    /// Headings, then rows.
    table: Vec<Vec<String>>,
    picture: Option<Sheet>,
}

/// Writes both pages and the pictures.
///
/// # Errors
/// A sentence.
pub fn write(report: &Report<'_>, folder: &Path) -> Result<(), String> {
    let names = chart::names(report.experiment.metrics.iter().map(Metric::path));
    let section = |metric: usize| Section {
        metric: report.experiment.metrics[metric].path().to_owned(),
        file: format!("{}.png", names[metric]),
        paragraph: paragraph(report, metric),
        table: report.rows(metric, report.labels.len().min(ROWS)),
        picture: chart::chart(report, metric),
    };
    let sections: Vec<Section> = (0..report.experiment.metrics.len()).map(section).collect();
    let (png, svg) = (format("png")?, format("svg")?);
    for section in &sections {
        if let Some(sheet) = &section.picture {
            files::write(&folder.join(&section.file), &(png.encode)(sheet)?)?;
        }
    }
    files::write(&folder.join("report.md"), markdown(report, &sections).as_bytes())?;
    files::write(&folder.join("report.html"), html(report, &sections, svg.encode)?.as_bytes())
}

fn format(extension: &str) -> Result<&'static crate::picture::Format, String> {
    FORMATS.iter().find(|format| format.extension == extension).copied().ok_or_else(|| "no such format".to_owned())
}

/// What was done, in a sentence.
fn summary(report: &Report<'_>) -> String {
    let experiment = report.experiment;
    let variations = report.labels.len();
    let of = if variations == 1 { "one variation".to_owned() } else { format!("{variations} variations") };
    let mut text = format!("{} runs of {of} of `{}`.", report.runs(), experiment.scenario);
    for axis in &experiment.axes {
        let values: Vec<&str> = axis.values.iter().map(|value| value.toml.trim_matches('"')).take(12).collect();
        let more = if axis.values.len() > 12 { ", …" } else { "" };
        let _ = write!(text, " `{}` is {}{more}.", axis.path, values.join(", "));
    }
    if !experiment.baseline.is_empty() {
        let of = |(axis, value): &(usize, usize)| {
            let axis = &experiment.axes[*axis];
            format!("`{}` = {}", axis.path, axis.values[*value].toml.trim_matches('"'))
        };
        let baseline: Vec<String> = experiment.baseline.iter().map(of).collect();
        let _ = write!(text, " The baseline is {}.", baseline.join(", "));
    }
    let _ = write!(text, " Intervals are at {}.", level(experiment.level));
    if !experiment.baseline.is_empty() {
        text.push_str(
            " Replications of one number have the same seed in all variations, so differences are over pairs; verdicts are by \
             Holm's procedure over all variations of a metric.",
        );
    }
    text
}

fn markdown(report: &Report<'_>, sections: &[Section]) -> String {
    let mut text = format!("# {}\n\n{}\n", report.title, summary(report));
    for note in &report.notes {
        let _ = write!(text, "\n> {note}\n");
    }
    for section in sections {
        let _ = write!(text, "\n## {}\n\n{}\n", section.metric, section.paragraph);
        if section.picture.is_some() {
            let _ = write!(text, "\n![{}]({})\n", section.metric, section.file);
        }
        text.push('\n');
        for (index, row) in section.table.iter().enumerate() {
            let cells: Vec<String> = row.iter().map(|cell| visible(cell).replace('|', "\\|")).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
            if index == 0 {
                let _ = writeln!(text, "|---|{}", "---:|".repeat(row.len().saturating_sub(1)));
            }
        }
        if report.labels.len() > ROWS {
            let _ = write!(text, "\nThe first {ROWS} of {}; results.csv has all.\n", report.labels.len());
        }
    }
    text
}

const STYLE: &str = "\
:root{color-scheme:light}body{font:16px/1.5 'Noto Sans',system-ui,sans-serif;color:#1f2328;max-width:1280px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.8rem}h2{margin-top:2.5rem;border-bottom:1px solid #dce0e5;padding-bottom:.3rem}code{background:#eceff2;padding:0 .25em;border-radius:3px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #eceff2}
th:first-child,td:first-child{text-align:left}.better{color:#00704f}.worse{color:#b03a00}.note{color:#656d76}svg{max-width:100%;height:auto}
.scroll{overflow-x:auto}@media print{h2{break-after:avoid}tr{break-inside:avoid}}";

fn html(
    report: &Report<'_>,
    sections: &[Section],
    svg: fn(&Sheet) -> Result<Vec<u8>, String>,
) -> Result<String, String> {
    let title = escape(&report.title);
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{}</p>\n",
        inline(&summary(report))
    );
    for note in &report.notes {
        let _ = writeln!(text, "<p class=\"note\">{}</p>", inline(note));
    }
    for section in sections {
        let _ = writeln!(text, "<h2>{}</h2>\n<p>{}</p>", escape(&section.metric), inline(&section.paragraph));
        if let Some(sheet) = &section.picture {
            let drawn = String::from_utf8(svg(sheet)?).map_err(|_| "the drawing library wrote no text".to_owned())?;
            let _ = writeln!(text, "{}", scaling(&drawn, sheet));
        }
        table(&mut text, &section.table);
        if report.labels.len() > ROWS {
            let _ = writeln!(
                text,
                "<p class=\"note\">The first {ROWS} of {}; results.csv has all.</p>",
                report.labels.len()
            );
        }
    }
    text.push_str("</body>\n</html>\n");
    Ok(text)
}

/// The picture as an element that shrinks with the page.
fn scaling(svg: &str, sheet: &Sheet) -> String {
    let start = svg.find("<svg").unwrap_or(0);
    let (width, height) = (sheet.width, sheet.height);
    let has_box = svg[start..].split('>').next().is_some_and(|head| head.contains("viewBox"));
    let svg = svg[start..].trim_end();
    if has_box { svg.to_owned() } else { svg.replacen("<svg", &format!("<svg viewBox=\"0 0 {width} {height}\""), 1) }
}

fn table(text: &mut String, rows: &[Vec<String>]) {
    text.push_str("<div class=\"scroll\"><table>\n");
    for (index, row) in rows.iter().enumerate() {
        let cell = if index == 0 { "th" } else { "td" };
        text.push_str("<tr>");
        for content in row {
            let class = match content.as_str() {
                verdict if verdict.starts_with("better") => " class=\"better\"",
                verdict if verdict.starts_with("worse") => " class=\"worse\"",
                _ => "",
            };
            let _ = write!(text, "<{cell}{class}>{}</{cell}>", escape(content));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table></div>\n");
}

fn escape(text: &str) -> String {
    crate::letters::visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Markdown of a sentence: code and bold letters, nothing else.
fn inline(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in escape(text).split('`').enumerate() {
        if index % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
            continue;
        }
        for (index, part) in part.split("**").enumerate() {
            if index % 2 == 1 {
                let _ = write!(html, "<strong>{part}</strong>");
            } else {
                html.push_str(part);
            }
        }
    }
    html
}
