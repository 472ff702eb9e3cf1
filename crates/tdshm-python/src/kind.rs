//! The elements of numpy's arrays, as far as anything is understood of them here.

use std::ffi::c_int;

use numpy::npyffi::NPY_TYPES;

/// What an array's elements are, as far as anything of it is understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

impl Kind {
    /// By numpy's number of it, in the machine's own byte order.
    pub(crate) fn of(type_num: c_int) -> Option<Self> {
        const LONG_IS_64: bool = size_of::<std::ffi::c_long>() == 8;
        let is = |kind: NPY_TYPES| type_num == kind as c_int;
        Some(match type_num {
            _ if is(NPY_TYPES::NPY_FLOAT) => Self::F32,
            _ if is(NPY_TYPES::NPY_UBYTE) => Self::U8,
            _ if is(NPY_TYPES::NPY_DOUBLE) => Self::F64,
            _ if is(NPY_TYPES::NPY_BOOL) => Self::Bool,
            _ if is(NPY_TYPES::NPY_BYTE) => Self::I8,
            _ if is(NPY_TYPES::NPY_SHORT) => Self::I16,
            _ if is(NPY_TYPES::NPY_USHORT) => Self::U16,
            _ if is(NPY_TYPES::NPY_INT) => Self::I32,
            _ if is(NPY_TYPES::NPY_UINT) => Self::U32,
            _ if is(NPY_TYPES::NPY_LONG) => {
                if LONG_IS_64 {
                    Self::I64
                } else {
                    Self::I32
                }
            }
            _ if is(NPY_TYPES::NPY_ULONG) => {
                if LONG_IS_64 {
                    Self::U64
                } else {
                    Self::U32
                }
            }
            _ if is(NPY_TYPES::NPY_LONGLONG) => Self::I64,
            _ if is(NPY_TYPES::NPY_ULONGLONG) => Self::U64,
            _ if is(NPY_TYPES::NPY_HALF) => Self::F16,
            _ => return None,
        })
    }

    /// numpy's number of it.
    pub(crate) fn type_num(self) -> c_int {
        let kind = match self {
            Self::Bool => NPY_TYPES::NPY_BOOL,
            Self::I8 => NPY_TYPES::NPY_BYTE,
            Self::U8 => NPY_TYPES::NPY_UBYTE,
            Self::I16 => NPY_TYPES::NPY_SHORT,
            Self::U16 => NPY_TYPES::NPY_USHORT,
            Self::I32 => NPY_TYPES::NPY_INT,
            Self::U32 => NPY_TYPES::NPY_UINT,
            Self::I64 => NPY_TYPES::NPY_LONGLONG,
            Self::U64 => NPY_TYPES::NPY_ULONGLONG,
            Self::F16 => NPY_TYPES::NPY_HALF,
            Self::F32 => NPY_TYPES::NPY_FLOAT,
            Self::F64 => NPY_TYPES::NPY_DOUBLE,
        };
        kind as c_int
    }

    /// Bytes of an element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// numpy's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I8 => "int8",
            Self::U8 => "uint8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::I32 => "int32",
            Self::U32 => "uint32",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::F16 => "float16",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}
