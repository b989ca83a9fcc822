//! The data of an event, read once into a flat list of values: strings stay where they are, and a list or a map knows
//! where it ends, so that what nobody asks for is passed over in one step.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use signalpost_core::limits::FILTER_DATA_VALUES_MAX;

/// All values of a JSON text, each before what is in it.
#[derive(Debug, Default)]
pub(crate) struct Data<'a> {
    entries: Vec<Entry<'a>>,
    /// Strings that are written with escapes.
    decoded: String,
}

#[derive(Clone, Copy, Debug)]
enum Entry<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(&'a str),
    /// From and to in `decoded`.
    Decoded(u32, u32),
    List {
        elements: u32,
        end: u32,
    },
    /// Each member is a string and a value.
    Map {
        members: u32,
        end: u32,
    },
}

/// One value of the data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'v> {
    data: &'v Data<'v>,
    at: usize,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape<'v> {
    Null,
    Bool(bool),
    Int(i128),
    Double(f64),
    Text(&'v str),
    List,
    Map,
}

impl<'a> Data<'a> {
    /// Reads a complete JSON value. The error is a sentence.
    pub(crate) fn read(json: &'a [u8]) -> Result<Self, String> {
        let mut data = Self::default();
        let mut source = serde_json::Deserializer::from_slice(json);
        let read = Reader(&mut data).deserialize(&mut source).and_then(|()| source.end());
        read.map_err(|problem| format!("the event's data cannot be read: {problem}"))?;
        Ok(data)
    }

    pub(crate) fn root(&self) -> Json<'_> {
        Json { data: self, at: 0 }
    }

    fn push<E: Error>(&mut self, entry: Entry<'a>) -> Result<usize, E> {
        if self.entries.len() == FILTER_DATA_VALUES_MAX {
            return Err(E::custom(format_args!("it holds more than {FILTER_DATA_VALUES_MAX} values")));
        }
        self.entries.push(entry);
        Ok(self.entries.len() - 1)
    }

    fn length(&self) -> u32 {
        u32::try_from(self.entries.len()).expect("values are bounded")
    }
}

impl<'v> Json<'v> {
    pub(crate) fn shape(self) -> Shape<'v> {
        match self.data.entries[self.at] {
            Entry::Null => Shape::Null,
            Entry::Bool(value) => Shape::Bool(value),
            Entry::Int(value) => Shape::Int(i128::from(value)),
            Entry::Uint(value) => Shape::Int(i128::from(value)),
            Entry::Double(value) => Shape::Double(value),
            Entry::Text(text) => Shape::Text(text),
            Entry::Decoded(from, to) => Shape::Text(&self.data.decoded[from as usize..to as usize]),
            Entry::List { .. } => Shape::List,
            Entry::Map { .. } => Shape::Map,
        }
    }

    /// Elements of a list, members of a map with those whose names repeat, else 0.
    pub(crate) fn count(self) -> usize {
        match self.data.entries[self.at] {
            Entry::List { elements: count, .. } | Entry::Map { members: count, .. } => count as usize,
            _ => 0,
        }
    }

    /// What is directly in a list or a map, in its order; of a map names and values in turn.
    pub(crate) fn inside(self) -> Inside<'v> {
        let end = self.end();
        Inside { data: self.data, at: self.at + 1, end }
    }

    /// The value of a map's member. Of members with one name it is the last that counts, as for most readers of JSON.
    /// `compared` is told the length of each name, in bytes, before it is compared; names of other lengths are not.
    pub(crate) fn member<E>(
        self,
        name: &str,
        mut compared: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Option<Self>, E> {
        let mut inside = self.inside();
        let mut found = None;
        while let (Some(key), Some(value)) = (inside.next(), inside.next()) {
            let Shape::Text(known) = key.shape() else { continue };
            if known.len() == name.len() {
                compared(known.len())?;
                if known == name {
                    found = Some(value);
                }
            }
        }
        Ok(found)
    }

    /// What the names of a map's members take, in bytes.
    pub(crate) fn names_bytes(self) -> usize {
        let names = self.inside().step_by(2).map(Self::shape);
        names.map(|name| if let Shape::Text(name) = name { name.len() } else { 0 }).sum()
    }

    /// Behind the value and all that is in it.
    fn end(self) -> usize {
        match self.data.entries[self.at] {
            Entry::List { end, .. } | Entry::Map { end, .. } => end as usize,
            _ => self.at + 1,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Inside<'v> {
    data: &'v Data<'v>,
    at: usize,
    end: usize,
}

impl<'v> Iterator for Inside<'v> {
    type Item = Json<'v>;

    fn next(&mut self) -> Option<Json<'v>> {
        if self.at >= self.end {
            return None;
        }
        let next = Json { data: self.data, at: self.at };
        self.at = next.end();
        Some(next)
    }
}

/// Appends one value with all that is in it.
struct Reader<'d, 'a>(&'d mut Data<'a>);

impl<'a> DeserializeSeed<'a> for Reader<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Reader<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push(Entry::Null).map(drop)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.push(Entry::Bool(value)).map(drop)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.push(Entry::Int(value)).map(drop)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.push(Entry::Uint(value)).map(drop)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.0.push(Entry::Double(value)).map(drop)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        self.0.push(Entry::Text(text)).map(drop)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let offset = |at: usize| u32::try_from(at).map_err(|_| E::custom("it is too long"));
        let from = offset(self.0.decoded.len())?;
        self.0.decoded.push_str(text);
        let to = offset(self.0.decoded.len())?;
        self.0.push(Entry::Decoded(from, to)).map(drop)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        let at = self.0.push(Entry::List { elements: 0, end: 0 })?;
        let mut count = 0;
        while elements.next_element_seed(Reader(self.0))?.is_some() {
            count += 1;
        }
        self.0.entries[at] = Entry::List { elements: count, end: self.0.length() };
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        let at = self.0.push(Entry::Map { members: 0, end: 0 })?;
        let mut count = 0;
        while members.next_key_seed(Reader(self.0))?.is_some() {
            members.next_value_seed(Reader(self.0))?;
            count += 1;
        }
        self.0.entries[at] = Entry::Map { members: count, end: self.0.length() };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asks_for_is_passed_over() {
        let json = br#" {"a": [1, {"x": [2, 3]}, "\u00fc\n"], "b": null, "a\"b": -1.5e2, "big": 18446744073709551615} "#;
        let data = Data::read(json).expect("it is JSON");
        let root = data.root();
        let member = |name: &str| root.member(name, |_| Ok::<_, ()>(())).expect("nothing ends the search");
        assert_eq!((root.count(), root.names_bytes()), (4, 8));
        let list = member("a").expect("it is there");
        assert!(matches!(list.shape(), Shape::List) && list.count() == 3);
        let shapes: Vec<String> = list.inside().map(|element| format!("{:?}", element.shape())).collect();
        assert_eq!(shapes, ["Int(1)", "Map", "Text(\"ü\\n\")"]);
        assert!(matches!(member("b").map(Json::shape), Some(Shape::Null)));
        assert!(matches!(member("a\"b").map(Json::shape), Some(Shape::Double(-150.0))));
        assert!(matches!(member("big").map(Json::shape), Some(Shape::Int(n)) if n == i128::from(u64::MAX)));
        assert!(member("x").is_none(), "a member of a member is none of its own");
    }

    #[test]
    fn as_deep_as_events_may_be() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Data::read(nested(127).as_bytes()).is_ok(), "the deepest data inside a published event");
        let error = Data::read(nested(100_000).as_bytes()).expect_err("too deep");
        assert!(error.contains("recursion limit"), "{error}");
    }

    #[test]
    fn values_are_bounded() {
        let json = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        assert!(Data::read(json(FILTER_DATA_VALUES_MAX - 1).as_bytes()).is_ok());
        let error = Data::read(json(FILTER_DATA_VALUES_MAX).as_bytes()).expect_err("too many");
        assert!(error.contains("more than 262144 values"), "{error}");
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for bad in [&b""[..], b"{", b"1 2", b"[1,]", b"\"\xff\"", b"1e999", b"\"\\ud800\""] {
            assert!(Data::read(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
