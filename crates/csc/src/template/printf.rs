//! `printf` with Go's verbs, as far as CSI's values have a use for them: `%s %v %q %d %x %X %t %%`, with width, precision, `-`, `0`,
//! `+` and `#`.

use super::value::Value;
use crate::quote::quote;

/// The widest that a value is padded to.
const WIDEST: usize = 1024;

#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
}

/// The formatted text.
///
/// # Errors
/// Verbs and values that do not match, which Go would print in the middle of the text.
pub(super) fn printf(format: &str, values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-0+# ".contains(*c)) {
            match flag {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                _ => {}
            }
        }
        spec.width = number(&mut chars)?.unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut chars)?.unwrap_or(0));
        }
        let verb = chars.next().ok_or("printf: a % without a verb at the end; a percent sign is %%")?;
        if verb == '%' {
            out.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| format!("printf: there is no value left for %{verb}"))?;
        out.push_str(&pad(&spec, verb, one(&spec, verb, value)?));
    }
    match values.next() {
        None => Ok(out),
        Some(value) => Err(format!("printf: there is no verb for {}", value.kind())),
    }
}

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, String> {
    let mut number: Option<usize> = None;
    while let Some(digit) = chars.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10)) {
        let next = number.unwrap_or(0) * 10 + digit as usize;
        if next > WIDEST {
            return Err(format!("printf: a width of more than {WIDEST}"));
        }
        number = Some(next);
    }
    Ok(number)
}

fn one(spec: &Spec, verb: char, value: &Value) -> Result<String, String> {
    let mismatch = || format!("printf: %{verb} does not show {}", value.kind());
    let cut = |text: String| match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    };
    let integer = match value {
        Value::Int(number) | Value::Enum { number, .. } => Some(*number),
        _ => None,
    };
    Ok(match (verb, value) {
        ('v', _) => value.to_string(),
        ('s', Value::Int(_) | Value::Bool(_)) => return Err(mismatch() + "; write %v"),
        ('s', _) => cut(value.to_string()),
        ('q', Value::Text(text)) => quote(text),
        ('q', Value::Enum { name, .. }) => quote(name),
        ('q', Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|item| one(spec, verb, item)).collect::<Result<_, _>>()?;
            format!("[{}]", items.join(" "))
        }
        ('q', Value::Nil) => quote(""),
        ('d', _) => {
            let number = integer.ok_or_else(mismatch)?;
            if spec.plus && number >= 0 { format!("+{number}") } else { number.to_string() }
        }
        ('x' | 'X', Value::Text(text)) => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            if verb == 'X' { hex.to_uppercase() } else { hex }
        }
        ('x' | 'X', _) => {
            let number = integer.ok_or_else(mismatch)?;
            let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
            if verb == 'X' { format!("{sign}{size:X}") } else { format!("{sign}{size:x}") }
        }
        ('t', Value::Bool(value)) => value.to_string(),
        ('t', Value::Nil) => "false".to_owned(),
        ('q' | 't', _) => return Err(mismatch()),
        (other, _) => return Err(format!("printf: %{other} is not among %s %v %q %d %x %X %t %%")),
    })
}

fn pad(spec: &Spec, verb: char, text: String) -> String {
    let missing = spec.width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if spec.left {
        return text + &" ".repeat(missing);
    }
    if !spec.zero || !matches!(verb, 'd' | 'x' | 'X') {
        return " ".repeat(missing) + &text;
    }
    match text.strip_prefix(['-', '+']) {
        Some(digits) => format!("{}{}{digits}", &text[..1], "0".repeat(missing)),
        None => "0".repeat(missing) + &text,
    }
}
