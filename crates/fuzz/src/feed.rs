//! Takes values off a fuzzer's bytes. What is used up yields zeros, so that every input means something.

/// The rest of an input.
pub(crate) struct Feed<'a>(&'a [u8]);

/// Stands alone on a line between the parts of an input that holds several texts.
const DIVIDER: &[u8] = b"\n--\n";

impl<'a> Feed<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, which is at most 256.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    pub(crate) fn number(&mut self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// As many bytes as one byte says, fewer when there are not so many.
    pub(crate) fn short(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The first `N` parts of an input; those that it does not have are empty.
pub(crate) fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = Some(input);
    std::array::from_fn(|place| {
        let Some(text) = rest.take() else { return &[][..] };
        let divider = text.windows(DIVIDER.len()).position(|window| window == DIVIDER);
        match divider.filter(|_| place + 1 < N) {
            Some(at) => {
                rest = Some(&text[at + DIVIDER.len()..]);
                &text[..at]
            }
            None => text,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_yields_zeros() {
        let mut feed = Feed::new(&[7, 2, 1, 2, 3]);
        assert_eq!((feed.below(4), feed.short(), feed.is_empty()), (3, &[1, 2][..], false));
        assert_eq!((feed.number(), feed.byte(), feed.is_empty()), (3, 0, true));
    }

    #[test]
    fn parts_are_divided_by_a_line() {
        assert_eq!(parts::<3>(b"a\n--\nb\n--\nc\n--\nd"), [&b"a"[..], b"b", b"c\n--\nd"]);
        assert_eq!(parts::<2>(b"a--\n"), [&b"a--\n"[..], b""]);
    }
}
