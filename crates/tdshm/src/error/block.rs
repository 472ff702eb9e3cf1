//! What is wrong with a block.

/// A field of a block that breaks a rule: on the way out nothing was written, on the way in nothing was believed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} is {value}, and {rule} {limit}: {advice}")]
#[non_exhaustive]
pub struct BlockError {
    /// The field, named as in the protocol (wire §8).
    pub field: &'static str,
    /// What it holds.
    pub value: FieldValue,
    /// The rule in words, up to the limit.
    pub(crate) rule: &'static str,
    /// The bound it breaks.
    pub limit: FieldValue,
    /// What to do.
    pub(crate) advice: &'static str,
}

/// A number as a block holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// A whole number.
    Int(i64),
    /// A magic number, shown in hexadecimal.
    Magic(u32),
    /// A real number.
    Float(f32),
}

impl core::fmt::Display for FieldValue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Magic(value) => write!(f, "{value:#010x}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

impl BlockError {
    /// What was expected of the field, in a few words: `at least 0`, `0x12ed54cf`.
    #[must_use]
    pub fn bound(&self) -> String {
        let limit = self.limit;
        match (self.rule.strip_prefix("must be "), self.value, limit) {
            (Some(rule), ..) => format!("{rule} {limit}"),
            (None, FieldValue::Int(value), FieldValue::Int(least)) if value < least => {
                format!("at least {limit}")
            }
            (None, FieldValue::Int(_), FieldValue::Int(_)) => format!("at most {limit}"),
            _ => limit.to_string(),
        }
    }

    /// Whether a block of the other kind lies there, an image where channels were expected, or the other way round.
    #[must_use]
    pub fn is_of_other_kind(&self) -> bool {
        match (self.value, self.limit) {
            (FieldValue::Magic(found), FieldValue::Magic(expected)) => {
                let is_image = |magic: u32| crate::wire::top::is_image(&magic.to_le_bytes());
                let channels = crate::wire::chop::MAGIC.cast_unsigned();
                expected == channels && is_image(found) || is_image(expected) && found == channels
            }
            _ => false,
        }
    }

    pub(crate) fn int(
        field: &'static str,
        value: impl TryInto<i64>,
        rule: &'static str,
        limit: impl TryInto<i64>,
        advice: &'static str,
    ) -> Self {
        let number = |n: Option<i64>| FieldValue::Int(n.unwrap_or(i64::MAX));
        Self {
            field,
            value: number(value.try_into().ok()),
            rule,
            limit: number(limit.try_into().ok()),
            advice,
        }
    }
}
