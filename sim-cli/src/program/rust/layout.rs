//! Calls as rustfmt lays them out, so that nobody has to run it.

use crate::program::lines::Lines;

/// Lines are not longer.
const COLUMNS: usize = 100;
/// The arguments of a call on one line are not longer, and neither is a chain of calls.
const ARGUMENTS: usize = 60;

/// A statement that is a call: what stands before the innermost arguments, these, and what stands behind them, as in
/// `sleep(uniform(`, two durations, and `));`. Anything between the two that opens has one argument alone.
pub(super) fn call(before: &str, arguments: &[String], behind: &str, lines: &mut Lines) {
    // Comments may be as long as they are.
    let (code, comment) = behind.find(" // ").map_or((behind, ""), |at| behind.split_at(at));
    let line = format!("{before}{}{code}", arguments.join(", "));
    if fits(&line, lines.indentation()) {
        return lines.line(line + comment);
    }
    // What is too long only with what follows the call has that on a line of its own.
    if let Some((call, rest)) = line.rsplit_once(".await")
        && fits(call, lines.indentation())
        && arguments_fit(&line)
    {
        lines.line(call);
        return lines.deeper(|lines| lines.line(format!(".await{rest}{comment}")));
    }
    lines.line(before);
    lines.deeper(|lines| arguments.iter().for_each(|argument| lines.line(format!("{argument},"))));
    // What follows a call of several lines has a line of its own.
    match behind.split_once(").await") {
        Some((close, rest)) => lines.line(format!("{close})\n.await{rest}")),
        None => lines.line(behind),
    }
}

/// Does a call fit on one line?
pub(super) fn fits(line: &str, indentation: usize) -> bool {
    indentation + crate::letters::width(line) <= COLUMNS && arguments_fit(line)
}

fn arguments_fit(line: &str) -> bool {
    let ends = line.find(['(', '[']).zip(line.rfind([')', ']']));
    let arguments = ends.map_or("", |(open, close)| &line[open + 1..close]);
    // Of a tuple or an array that is the only argument, what is in it counts.
    let inside = |open, close| arguments.strip_prefix(open)?.strip_suffix(close);
    let arguments = inside("(", ")").or_else(|| inside("&[", "]")).unwrap_or(arguments);
    crate::letters::width(arguments) <= ARGUMENTS
}

/// The head of a block that needs all of these conditions.
pub(super) fn condition(before: &str, conditions: &[String], lines: &mut Lines) {
    let line = format!("{before}{} {{", conditions.join(" && "));
    if lines.indentation() + crate::letters::width(&line) <= COLUMNS {
        return lines.line(line);
    }
    let (first, others) = conditions.split_first().map_or(("", conditions), |(first, others)| (first.as_str(), others));
    lines.line(format!("{before}{first}"));
    lines.deeper(|lines| others.iter().for_each(|other| lines.line(format!("&& {other}"))));
    lines.line("{");
}

/// A chain of calls, behind `before`.
pub(super) fn chain(before: &str, links: &[&str], lines: &mut Lines) {
    let line = format!("{before}{};", links.concat());
    if crate::letters::width(&links.concat()) <= ARGUMENTS {
        if lines.indentation() + crate::letters::width(&line) <= COLUMNS || before.is_empty() {
            return lines.line(line);
        }
        return lines.line(format!("{}\n    {};", before.trim_end(), links.concat()));
    }
    lines.line(format!("{before}{}", links[0]));
    lines.deeper(|lines| {
        for (number, link) in links.iter().enumerate().skip(1) {
            lines.line(format!("{link}{}", if number + 1 == links.len() { ";" } else { "" }));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_calls_have_a_line_for_each_argument() {
        let laid_out = |before: &str, arguments: &[&str], behind: &str| {
            let mut lines = Lines::new();
            let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            call(before, &arguments, behind, &mut lines);
            lines.text()
        };
        assert_eq!(laid_out("f(", &["1", "2"], ");"), "f(1, 2);\n");
        let long = "Duration::from_millis(10)";
        assert_eq!(laid_out("f(g(", &[long, long], ")).await;"), format!("f(g({long}, {long})).await;\n"));
        let tuple = "a".repeat(28);
        assert_eq!(laid_out("push((", &[&tuple, &format!("{tuple}aa")], "));").lines().count(), 1);
        assert_eq!(laid_out("push((", &[&tuple, &format!("{tuple}aaa")], "));").lines().count(), 4);
        let longer = "Duration::from_millis(100000)";
        assert_eq!(
            laid_out("f(g(", &[longer, longer], ")).await;"),
            format!("f(g(\n    {longer},\n    {longer},\n))\n.await;\n")
        );
    }
}
