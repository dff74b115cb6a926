//! What Go's `encoding/json` says of a text that is no JSON. Runs only after a parse has failed.

/// Deeper than this nothing is read; Go's limit is 10,000.
const DEPTH: usize = 127;

/// The complaint; `None` if the text is JSON.
pub(super) fn of(bytes: &[u8]) -> Option<String> {
    let mut scan = Scan { bytes, at: 0 };
    scan.document().err()
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), String> {
        self.value(0)?;
        self.space();
        if self.at < self.bytes.len() { self.unexpected("after top-level value") } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, context: &str) -> Result<(), String> {
        let Some(byte) = self.peek() else { return Err("unexpected end of JSON input".into()) };
        let shown = match byte {
            b'\'' => r"\'".to_owned(),
            b'"' => "\"".to_owned(),
            b'\\' => r"\\".to_owned(),
            7 => r"\a".to_owned(),
            8 => r"\b".to_owned(),
            11 => r"\v".to_owned(),
            12 => r"\f".to_owned(),
            b'\t' => r"\t".to_owned(),
            b'\r' => r"\r".to_owned(),
            b'\n' => r"\n".to_owned(),
            byte if byte < 0x20 || byte == 0x7f => format!("\\x{byte:02x}"),
            // A byte is taken for a character, as Go does.
            byte => char::from(byte).to_string(),
        };
        Err(format!("invalid character '{shown}' {context}"))
    }

    fn expect(&mut self, accepted: impl Fn(u8) -> bool, context: &str) -> Result<(), String> {
        if !self.peek().is_some_and(accepted) {
            return self.unexpected(context);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH => Err("exceeded max depth".into()),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.unexpected("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), String> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.unexpected("looking for beginning of object key string");
            }
            self.string()?;
            self.space();
            self.expect(|byte| byte == b':', "after object key")?;
            self.value(depth + 1)?;
            self.space();
            let last = self.peek() == Some(b'}');
            self.expect(|byte| matches!(byte, b',' | b'}'), "after object key:value pair")?;
            if last {
                return Ok(());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), String> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.space();
            let last = self.peek() == Some(b']');
            self.expect(|byte| matches!(byte, b',' | b']'), "after array element")?;
            if last {
                return Ok(());
            }
        }
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    let unicode = self.peek() == Some(b'u');
                    self.expect(|byte| br#"bfnrt\/"u"#.contains(&byte), "in string escape code")?;
                    for _ in 0..if unicode { 4 } else { 0 } {
                        self.expect(|byte| byte.is_ascii_hexdigit(), "in \\u hexadecimal character escape")?;
                    }
                }
                Some(0x20..) => self.at += 1,
                _ => return self.unexpected("in string literal"),
            }
        }
    }

    fn number(&mut self) -> Result<(), String> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.peek() == Some(b'0');
        self.expect(|byte| byte.is_ascii_digit(), "in numeric literal")?;
        if !zero {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.expect(|byte| byte.is_ascii_digit(), "after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.expect(|byte| byte.is_ascii_digit(), "in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for expected in word.bytes() {
            let context = format!("in literal {word} (expecting '{}')", char::from(expected));
            self.expect(|byte| byte == expected, &context)?;
        }
        Ok(())
    }
}
