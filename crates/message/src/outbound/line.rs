//! One line of Jinja outside a template: the title of a task.

use minijinja::Value;

use super::engine;
use super::problem::{RenderProblem, TemplatePart};
use super::template::one_line;

/// Characters of a rendered line; the rest is cut off.
pub const LINE_CHARS_MAX: usize = 250;

/// Renders a line, without line breaks. Missing variables are empty.
///
/// # Errors
/// What is wrong with the expression, or the limit it reached.
pub fn render_line(source: &str, context: &serde_json::Value) -> Result<String, RenderProblem> {
    let part = TemplatePart::Subject;
    let mut env = engine::environment("en");
    env.add_template_owned(part.name(), source.to_owned())
        .map_err(|error| RenderProblem::Failed {
            part,
            line: 1,
            detail: engine::describe(&error),
        })?;
    let context = Value::from(minijinja::value::Serde(context));
    let line = engine::render_part(&env, part, &context).map_err(|failure| failure.problem)?;
    Ok(one_line(&line.unwrap_or_default(), LINE_CHARS_MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_title_names_the_contact_and_stays_one_line() {
        let context = json!({"contact": {"name": "Ana\nLi"}, "subject": {"number": "A-7"}});
        let line = render_line(
            "Call {{ contact.name }} about {{ subject.number }}{{ x }}",
            &context,
        );
        assert_eq!(line.unwrap(), "Call Ana Li about A-7");
        assert!(render_line("{{ contact.", &context).is_err());
    }
}
