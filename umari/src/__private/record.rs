//! What a module says about itself, for the host to read before it compiles anything.

/// The contract that this SDK speaks: the version of the packages in `wit/`.
const CONTRACT: &str = "0.1.0";
const SDK: &str = env!("CARGO_PKG_VERSION");

/// One line of the custom section `umari.module`: what a component carries, and the versions that
/// it was built with. Names need no escaping: a command's is a WIT identifier.
#[derive(Debug)]
pub struct Record {
    parts: [&'static str; 9],
}

impl Record {
    /// The record of a command.
    #[must_use]
    pub const fn command(name: &'static str) -> Self {
        Self::new("command", ["\",\"name\":\"", name])
    }

    /// The record of a projector.
    #[must_use]
    pub const fn projector() -> Self {
        Self::new("projector", ["", ""])
    }

    /// The record of an effect.
    #[must_use]
    pub const fn effect() -> Self {
        Self::new("effect", ["", ""])
    }

    const fn new(kind: &'static str, [key, name]: [&'static str; 2]) -> Self {
        Self {
            parts: [
                "{\"kind\":\"",
                kind,
                key,
                name,
                "\",\"sdk\":\"",
                SDK,
                "\",\"contract\":\"",
                CONTRACT,
                "\"}\n",
            ],
        }
    }

    /// How many bytes the line has.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a record is never empty")]
    pub const fn len(&self) -> usize {
        let mut len = 0;
        let mut part = 0;
        while part < self.parts.len() {
            len += self.parts[part].len();
            part += 1;
        }
        len
    }

    /// The line, as many bytes as [`Record::len`] says.
    #[must_use]
    pub const fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut written = 0;
        let mut part = 0;
        while part < self.parts.len() {
            let text = self.parts[part].as_bytes();
            let mut index = 0;
            while index < text.len() {
                bytes[written] = text[index];
                written += 1;
                index += 1;
            }
            part += 1;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line<const N: usize>(record: &Record) -> String {
        String::from_utf8(record.bytes::<N>().to_vec()).expect("records are text")
    }

    #[test]
    fn a_record_is_one_line_of_json() {
        const COMMAND: Record = Record::command("connect-shop");
        assert_eq!(
            line::<{ COMMAND.len() }>(&COMMAND),
            format!(
                "{{\"kind\":\"command\",\"name\":\"connect-shop\",\"sdk\":\"{SDK}\",\
                 \"contract\":\"{CONTRACT}\"}}\n"
            )
        );
        const EFFECT: Record = Record::effect();
        assert_eq!(
            line::<{ EFFECT.len() }>(&EFFECT),
            format!("{{\"kind\":\"effect\",\"sdk\":\"{SDK}\",\"contract\":\"{CONTRACT}\"}}\n")
        );
    }

    #[test]
    fn the_contract_is_the_one_in_the_wit() {
        let wit = include_str!("../../wit/command/command.wit");
        assert!(wit.contains(&format!("package umari:command@{CONTRACT};")));
    }
}
