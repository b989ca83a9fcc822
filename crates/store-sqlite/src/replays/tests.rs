//! What only this backend can get wrong.
