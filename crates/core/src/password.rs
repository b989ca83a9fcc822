//! Passwords of users who log in: the form of a username and of a password, and argon2id (RFC 9106).
//!
//! What is stored is a PHC string, which names its own parameters: when those are raised, older hashes still verify.
//! Hashing takes some 20 ms of a processor on purpose; see [`crate::ports::HeavyWork`] for where it may run.

use std::fmt;

use argon2::password_hash::phc::PasswordHash as Parsed;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::base62;
use crate::limits::{
    ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN,
    PASSWORD_MINTED_CHARS, USERNAME_CHARS_MAX,
};
use crate::secret::Secret;

/// RFC 9106, section 4: enough for hashes of passwords.
pub const SALT_BYTES: usize = 16;

/// The hash of no password that anybody knows, with the parameters of today: what a login by an unknown name is
/// verified against, so that it takes as long as any other.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ZGVjb3ktc2FsdC0xNi1ieQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as it is stored. `Debug` shows nothing of it: who has it can guess at leisure.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// What a hash cannot be made or compared for: no fault of whoever types a password.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashFailure(HashError);

impl PasswordHash {
    /// Takes long. `salt` is random.
    pub fn of(password: &Secret, salt: [u8; SALT_BYTES]) -> Result<Self, HashFailure> {
        let hash = hasher().hash_password_with_salt(password.expose(), &salt).map_err(HashFailure)?;
        Ok(Self(hash.to_string()))
    }

    /// A hash that no password has, as dear to verify as any other.
    pub fn decoy() -> Self {
        Self(DECOY.to_owned())
    }

    /// As it was stored.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    pub fn as_phc(&self) -> &str {
        &self.0
    }

    /// Whether this is the hash of the password; compared in constant time. Takes long.
    pub fn verify(&self, password: &Secret) -> Result<bool, HashFailure> {
        let parsed = Parsed::new(&self.0).map_err(|error| HashFailure(error.into()))?;
        if parsed.salt.is_none() || parsed.hash.is_none() {
            return Err(HashFailure(HashError::EncodingInvalid));
        }
        match hasher().verify_password(password.expose(), &parsed) {
            Ok(()) => Ok(true),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(HashFailure(error)),
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// A new password: random letters and digits.
pub fn mint(fill: &mut dyn FnMut(&mut [u8])) -> Secret {
    Secret::from_text(&base62::random(PASSWORD_MINTED_CHARS, fill))
}

/// Names are compared byte by byte, so `Anna` is not `anna`.
pub fn check_username(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length == 0 || length > USERNAME_CHARS_MAX {
        return Err(format!("must be 1 to {USERNAME_CHARS_MAX} characters long"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    if text.trim() != text { Err("must not begin or end with white space".to_owned()) } else { Ok(()) }
}

/// Any text that is neither short nor huge: rules about its characters make passwords worse (NIST SP 800-63B, 3.1.1.2).
pub fn check_password(password: &Secret) -> Result<(), String> {
    if password.expose_text().chars().count() < PASSWORD_CHARS_MIN {
        return Err(format!("must be at least {PASSWORD_CHARS_MIN} characters long"));
    }
    if !may_be_password(password) {
        return Err(format!("must not be longer than {PASSWORD_BYTES_MAX} bytes in UTF-8"));
    }
    Ok(())
}

/// Whether it is worth the work of [`PasswordHash::verify`]: what is longer was never anybody's password.
pub fn may_be_password(presented: &Secret) -> bool {
    presented.expose().len() <= PASSWORD_BYTES_MAX
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.expect("constants within the algorithm's bounds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(password: &str) -> Secret {
        Secret::from_text(password)
    }

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = PasswordHash::of(&text("correct horse"), [7; SALT_BYTES]).expect("it is hashed");
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_phc());
        let stored = PasswordHash::from_phc(hash.as_phc().to_owned());
        assert!(stored.verify(&text("correct horse")).expect("it is compared"));
        for other in ["correct horse ", "Correct horse", ""] {
            assert!(!stored.verify(&text(other)).expect("it is compared"), "{other:?}");
        }
        let salted = PasswordHash::of(&text("correct horse"), [8; SALT_BYTES]).expect("it is hashed");
        assert_ne!(salted, hash, "another salt");
        assert_eq!(format!("{hash:?}"), "PasswordHash(hidden)");
    }

    /// Else a name that nobody has would be known by the time that its refusal takes.
    #[test]
    fn the_decoy_costs_what_a_hash_of_today_costs() {
        let hash = PasswordHash::of(&text("x"), [7; SALT_BYTES]).expect("it is hashed");
        let cost = |hash: &PasswordHash| hash.as_phc().rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(cost(&PasswordHash::decoy()), cost(&hash));
        assert_eq!(PasswordHash::decoy().as_phc().len(), hash.as_phc().len());
        assert!(!PasswordHash::decoy().verify(&text("x")).expect("it is compared"));
    }

    /// The parameters stand in the hash, so they can be raised one day.
    #[test]
    fn a_hash_with_other_parameters_verifies_and_a_damaged_one_is_no_wrong_password() {
        let params = Params::new(16, 1, 1, None).expect("small");
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let phc = cheap.hash_password_with_salt(b"old", &[7; SALT_BYTES]).expect("it is hashed").to_string();
        assert!(PasswordHash::from_phc(phc.clone()).verify(&text("old")).expect("it is compared"));
        for damaged in ["", "x", "$argon2id$v=19$m=16,t=1,p=1", &phc.replace("argon2id", "md5")] {
            assert!(PasswordHash::from_phc(damaged.to_owned()).verify(&text("old")).is_err(), "{damaged}");
        }
    }

    #[test]
    fn usernames_are_printable_and_passwords_are_not_short() {
        for good in ["a", "Anna Müller", "anna@example.com", &"n".repeat(128)] {
            assert!(check_username(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "a\0", "\u{7f}", &"n".repeat(129)] {
            assert!(check_username(bad).is_err(), "{bad:?}");
        }
        for (password, good) in [
            ("1234567", false),
            ("12345678", true),
            ("ééééééé", false),
            ("        ", true),
            (&"p".repeat(256), true),
            (&"p".repeat(257), false),
            (&"é".repeat(129), false),
        ] {
            assert_eq!(check_password(&text(password)).is_ok(), good, "{password:?}");
        }
        let minted = mint(&mut |pool| pool.fill(7));
        assert!(check_password(&minted).is_ok() && minted.expose().len() == PASSWORD_MINTED_CHARS);
    }
}
