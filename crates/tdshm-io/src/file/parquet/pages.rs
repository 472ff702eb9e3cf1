//! Pages of a column, looked at before anything relies on them.
//!
//! The reader of columns takes some things for granted that a broken file does not keep, and panics. What is known of that
//! is refused here; what is not is caught in [`caught`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::basic::Encoding;
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::errors::{ParquetError as Broken, Result};

use crate::error::ParquetError;

/// Does what may panic over a broken file; that it did is one more way to be broken.
pub(super) fn caught<T>(
    what: impl FnOnce() -> std::result::Result<T, ParquetError>,
) -> std::result::Result<T, ParquetError> {
    // Whoever gets the error reads no more of the file, so nobody sees what the panic left half done.
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|_| {
        Err(ParquetError::Broken { reason: "it contradicts itself in a way that is not read".to_owned() })
    })
}

/// The pages of a column.
pub(super) struct Checked {
    pages: Box<dyn PageReader>,
    has_dictionary: bool,
}

impl Checked {
    pub(super) fn new(pages: Box<dyn PageReader>) -> Self {
        Self { pages, has_dictionary: false }
    }

    fn check(&mut self, page: &Page) -> Result<()> {
        let broken = |what: &str| Err(Broken::General(what.to_owned()));
        match page {
            Page::DictionaryPage { .. } => {
                self.has_dictionary = true;
                return Ok(());
            }
            Page::DataPageV2 {
                buf,
                num_values,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let levels = u64::from(*def_levels_byte_len).saturating_add(u64::from(*rep_levels_byte_len));
                if usize::try_from(levels).is_ok_and(|levels| levels > buf.len()) {
                    return broken("the levels of a page are longer than the page");
                }
                if num_nulls > num_values || num_rows > num_values {
                    return broken("a page has more rows or gaps than values");
                }
            }
            Page::DataPage { .. } => {}
        }
        match page.encoding() {
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY if !self.has_dictionary => {
                broken("a page refers to a dictionary that is not there")
            }
            _ => Ok(()),
        }
    }
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

impl Iterator for Checked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
