//! Jinja outside a template: the title of a task, the text of a notification.

use minijinja::Value;

use super::engine;
use super::jinja;
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

/// Renders a text of several lines, within the limits of a template's text. Missing variables are empty;
/// filters speak `language`.
///
/// # Errors
/// What is wrong with the expression, or the limit it reached.
pub fn render_text(
    source: &str,
    language: &str,
    context: &serde_json::Value,
) -> Result<String, RenderProblem> {
    let part = TemplatePart::Text;
    let failed = |line, detail| RenderProblem::Failed { part, line, detail };
    if let Some(problem) = jinja::check(source, "", 1).into_iter().next() {
        return Err(failed(problem.line, problem.message));
    }
    let mut env = engine::environment(language);
    let source = jinja::without_lone_statements(source);
    env.add_template_owned(part.name(), source)
        .map_err(|error| failed(engine::line_of(&error), engine::describe(&error)))?;
    let context = Value::from(minijinja::value::Serde(context));
    let text = engine::render_part(&env, part, &context).map_err(|failure| failure.problem)?;
    Ok(text.unwrap_or_default())
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

    #[test]
    fn a_text_keeps_its_lines_and_says_what_is_wrong_with_it() {
        let context = json!({"contact": {"name": "Ana <Li>"}, "subject": {"amount": 1200}});
        let text = render_text(
            "{{ contact.name }} looks again\n{% if subject.amount %}\nWorth {{ subject.amount | money('RUB') }}\n{% endif %}\n",
            "ru",
            &context,
        );
        assert_eq!(
            text.unwrap(),
            "Ana <Li> looks again\nWorth 1\u{a0}200\u{a0}₽\n"
        );
        let problem = render_text("a\n{% include 'x' %}", "en", &context).unwrap_err();
        assert!(problem.to_string().contains("line 2"), "{problem}");
        assert!(render_text("{{ contact.", "en", &context).is_err());
        assert!(render_text("{{ contact.name | shout }}", "en", &context).is_err());
    }
}
