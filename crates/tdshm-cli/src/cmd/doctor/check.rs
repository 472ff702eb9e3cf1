//! Everything that `doctor` can say, by what it is about: `docs/doctor.md` has this table in words.

/// One check. What it finds is a line of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// By which programs know it. It stays when the sentences change.
    pub(super) id: &'static str,
    /// The heading that it stands below.
    pub(super) step: &'static str,
    /// The part of `docs/mistakes.md` that it is about.
    pub(super) see: Option<&'static str>,
}

macro_rules! checks {
    ($($step:literal: $($name:ident $id:literal $($see:literal)?;)*)*) => {
        $($(
            pub(super) const $name: Check =
                Check { id: $id, step: $step, see: checks!(@see $($see)?) };
        )*)*
        /// All of them, in the order in which they matter: nothing behind a fault can be judged before it is mended.
        pub(super) const ALL: &[Check] = &[$($($name),*),*];
    };
    (@see) => { None };
    (@see $see:literal) => { Some($see) };
}

checks! {
    "This machine":
        MACHINE_ABOUT "machine.about";
        MACHINE_MEMORY "machine.memory" "no-room";
        MACHINE_FACT "machine.fact" "a-container-sees-nothing";
        MACHINE_TROUBLE "machine.trouble" "no-room";
    "The name":
        NAME_RULES "name.rules" "a-name-that-cannot-be-one";
        NAME_PREFIX "name.prefix" "there-is-no-such-name";
        NAME_SUFFIX "name.suffix" "a-name-that-cannot-be-one";
        NAME_PORTABLE "name.portable" "a-name-that-cannot-be-one";
        NAME_MACOS "name.macos" "a-name-that-cannot-be-one";
        NAME_NEAR "name.near" "there-is-no-such-name";
    "The objects":
        OBJECTS_NONE "objects.none" "there-is-no-such-name";
        OBJECTS_KIND "objects.kind" "somebody-removed-the-files";
        OBJECTS_MISNAMED "objects.misnamed" "if-you-write-your-own";
        OBJECTS_INFO "objects.info" "if-you-write-your-own";
        OBJECTS_DATA "objects.data" "somebody-removed-the-files";
        OBJECTS_LOCKS "objects.locks";
        OBJECTS_OTHER "objects.other" "somebody-removed-the-files";
    "Who may use them":
        RIGHTS_READ "rights.read" "two-users-on-linux";
        RIGHTS_DENIED "rights.denied" "administrator-and-user-on-windows";
        RIGHTS_WRITE "rights.write" "two-users-on-linux";
        RIGHTS_SHARED "rights.shared" "two-users-on-linux";
    "The info block":
        INFO_BLOCK "info.block" "if-you-write-your-own";
        INFO_FIELDS "info.fields";
        INFO_VERSION "info.version" "if-you-write-your-own";
        INFO_FLAGS "info.flags" "if-you-write-your-own";
        INFO_WIDTH "info.width" "if-you-write-your-own";
        INFO_POSTFIX "info.postfix" "if-you-write-your-own";
        INFO_DETACH "info.detach" "it-stands-still";
    "The sender":
        SENDER_ALIVE "sender.alive" "the-name-is-in-use-and-its-sender-is-gone";
        SENDER_HALF "sender.half" "td-stands-still-for-five-seconds-again-and-again";
        SENDER_FRAMES "sender.frames" "it-stands-still";
        SENDER_GROWTH "sender.growth" "if-you-write-your-own";
        SENDER_RATE "sender.rate" "the-wrong-speed-or-steps";
    "The locks":
        LOCK_USABLE "lock.usable" "two-c-libraries";
        LOCK_DATA "lock.data" "td-stands-still-for-five-seconds-again-and-again";
        LOCK_INFO "lock.info" "td-stands-still-for-five-seconds-again-and-again";
        LOCK_ABANDONED "lock.abandoned" "td-stands-still-for-five-seconds-again-and-again";
        LOCK_GREEDY "lock.greedy" "the-sender-becomes-slow-when-somebody-reads";
    "The block":
        BLOCK_MAGIC "block.magic" "an-image-where-channels-should-be";
        BLOCK_EMPTY "block.empty" "it-stands-still";
        BLOCK_FIELDS "block.fields";
        BLOCK_HEADER "block.header";
        CHANNELS_VERSION "channels.version" "if-you-write-your-own";
        CHANNELS_NUM_CHANS "channels.num-chans" "if-you-write-your-own";
        CHANNELS_LENGTH "channels.length" "if-you-write-your-own";
        CHANNELS_SAMPLE_RATE "channels.sample-rate" "the-wrong-speed-or-steps";
        CHANNELS_DATA_OFFSET "channels.data-offset" "if-you-write-your-own";
        CHANNELS_SAMPLES "channels.samples" "if-you-write-your-own";
        CHANNELS_NAME_OFFSET "channels.name-offset" "if-you-write-your-own";
        CHANNELS_NAMES_SENT "channels.names-sent" "names-chan1-chan2--instead-of-mine";
        CHANNELS_NAMES "channels.names" "if-you-write-your-own";
        CHANNELS_SIZE "channels.size" "if-you-write-your-own";
        IMAGE_VERSION "image.version" "if-you-write-your-own";
        IMAGE_SIDES "image.sides" "if-you-write-your-own";
        IMAGE_FORMAT "image.format" "if-you-write-your-own";
        IMAGE_THREE_BYTES "image.three-bytes" "if-you-write-your-own";
        IMAGE_DATA_SIZE "image.data-size" "if-you-write-your-own";
        IMAGE_DATA_OFFSET "image.data-offset" "if-you-write-your-own";
        IMAGE_COLOUR "image.colour";
    "Who receives":
        RECEIVERS_NONE "receivers.none";
        RECEIVERS_ENTRY "receivers.entry";
        RECEIVERS_DEAD "receivers.dead";
        RECEIVERS_BEHIND "receivers.behind" "it-stands-still";
        RECEIVERS_FULL "receivers.full";
        RECEIVERS_FOREIGN "receivers.foreign";
    "TouchDesigner":
        TD_TYPE "td.type" "there-is-no-such-name";
        TD_LICENCE "td.licence" "there-is-no-such-name";
        TD_COOKS "td.cooks" "there-is-no-such-name";
        TD_NAME "td.name" "a-name-that-cannot-be-one";
        TD_GLOBAL "td.global" "there-is-no-such-name";
    "Two processes here":
        EXCHANGE_MAKE "exchange.make";
        EXCHANGE_RECEIVE "exchange.receive";
        EXCHANGE_GROW "exchange.grow";
        EXCHANGE_WAKE "exchange.wake";
        EXCHANGE_DEATH "exchange.death";
        EXCHANGE_TAKE_OVER "exchange.take-over";
        EXCHANGE_LEAVE "exchange.leave";
        EXCHANGE_FAILS "exchange.fails";
    "What others left":
        LEFT_DEAD "left.dead" "the-name-is-in-use-and-its-sender-is-gone";
        LEFT_HELD "left.held" "the-name-is-in-use-and-its-sender-is-gone";
        LEFT_LOCKS "left.locks";
        LEFT_OTHERS "left.others" "two-users-on-linux";
    "Segments and their locks":
        SEGMENTS_NONE "segments.none";
        SEGMENTS_FINE "segments.fine";
        SEGMENTS_DEVIATES "segments.deviates" "if-you-write-your-own";
        SEGMENTS_LOCK "segments.lock" "td-stands-still-for-five-seconds-again-and-again";
        SEGMENTS_REFUSED "segments.refused" "two-users-on-linux";
    "1 Channels to TouchDesigner":
        WALK_SEND "walk.send";
    "2 Changes while TouchDesigner reads":
        WALK_CHANGE "walk.change";
    "3 Channels from TouchDesigner":
        WALK_RECEIVE "walk.receive";
    "4 An image to TouchDesigner":
        WALK_IMAGE_IN "walk.image-in";
    "5 An image from TouchDesigner":
        WALK_IMAGE_OUT "walk.image-out";
    "6 TouchDesigner closes":
        WALK_CLOSE "walk.close";
}

impl Check {
    /// Where it stands among all of them.
    pub(super) fn place(self) -> usize {
        ALL.iter().position(|check| *check == self).unwrap_or(ALL.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn document(name: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        fs::read_to_string(path).unwrap()
    }

    /// The words in grave accents of a cell.
    fn quoted(cell: &str) -> impl Iterator<Item = &str> {
        cell.split('`').skip(1).step_by(2)
    }

    /// As GitHub makes them.
    fn anchor(heading: &str) -> String {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    }

    fn anchors(text: &str) -> BTreeSet<String> {
        text.lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect()
    }

    #[test]
    fn ids_are_unique_and_plain() {
        let ids: BTreeSet<&str> = ALL.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for id in ids {
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '-')), "{id}");
        }
    }

    /// The page has a row for each check, no others, with its heading and the part of the mistakes it is about.
    #[test]
    fn the_page_has_them_all() {
        let page = document("doctor.md");
        let mistakes = anchors(&document("mistakes.md"));
        let mut told = BTreeSet::new();
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let id = quoted(line).next().unwrap();
            let check = ALL.iter().find(|check| check.id == id);
            let check = check.unwrap_or_else(|| panic!("{id} is told, and not there"));
            assert!(told.insert(id), "{id} is told twice");
            let link = line.split("(mistakes.md#").nth(1).map(|rest| rest.split(')').next().unwrap());
            assert_eq!(link, check.see, "{id}");
            assert!(check.see.is_none_or(|see| mistakes.contains(see)), "{id}: there is no {:?}", check.see);
        }
        let untold: Vec<&str> = ALL.iter().map(|check| check.id).filter(|id| !told.contains(id)).collect();
        assert_eq!(untold, [""; 0], "not told in docs/doctor.md");
    }

    /// Every mistake says which check sees it, or that none can.
    #[test]
    fn every_mistake_has_a_check_or_says_why_not() {
        let (page, mistakes) = (document("doctor.md"), document("mistakes.md"));
        let known = |id: &str| ALL.iter().any(|check| check.id == id);
        // Its symptoms: a heading each, told in a table of the page.
        for heading in mistakes.lines().filter_map(|line| line.strip_prefix("### ")) {
            let link = format!("(mistakes.md#{})", anchor(heading));
            let row = page.lines().find(|line| line.starts_with("| [") && line.contains(&link));
            let row = row.unwrap_or_else(|| panic!("{heading}: no row in docs/doctor.md"));
            let cell = row.split('|').nth(2).unwrap();
            assert!(cell.contains("not from outside") || quoted(cell).next().is_some(), "{row}");
            assert!(quoted(cell).all(known), "{row}");
        }
        // Those of programs: a row each, whose last cell says it.
        let own = mistakes.split("## If you write your own").nth(1).unwrap();
        let rows: Vec<&str> = own.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
        assert!(rows.len() > 15, "{rows:#?}");
        for row in rows {
            let cell = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap();
            assert!(cell.trim() == "no" || quoted(cell).next().is_some_and(known), "{row}");
        }
    }
}
