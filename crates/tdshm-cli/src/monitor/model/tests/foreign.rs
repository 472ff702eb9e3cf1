//! Senders of other programs, written into files by hand: the model reads them under their lock and makes nothing.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use std::thread;

use tdshm::NamedLock;

use super::*;

const OBJECTS: &str = "/dev/shm";

/// A sender that counts nothing.
struct Foreign {
    name: String,
    info: String,
}

impl Foreign {
    fn create(name: &Name, block: &[u8], bytes: usize) -> Self {
        let name = name.as_str().to_owned();
        let info = format!("{OBJECTS}/TouchSHMTouchSHM{name}4jhd783h");
        Self::with_info(name, info, block, bytes)
    }

    fn with_info(name: String, info: String, block: &[u8], bytes: usize) -> Self {
        // Magic, version 2, supported 0, no postfix, detach 0.
        let mut fields = [0; 44];
        fields[..4].copy_from_slice(&0x56ed_34ba_u32.to_le_bytes());
        fields[4] = 2;
        fs::write(&info, fields).unwrap();
        fs::write(format!("{OBJECTS}/TouchSHM{name}"), vec![0; bytes]).unwrap();
        let foreign = Self { name, info };
        foreign.put(block);
        foreign
    }

    fn put(&self, block: &[u8]) {
        let data = OpenOptions::new().write(true).open(format!("{OBJECTS}/TouchSHM{}", self.name)).unwrap();
        data.write_all_at(block, 0).unwrap();
    }

    fn lock(&self) -> NamedLock {
        NamedLock::open(&ShortName::new(&self.name).unwrap().data_lock()).unwrap()
    }

    fn objects(&self) -> Vec<String> {
        let entries = fs::read_dir(OBJECTS).unwrap().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.retain(|object| object.contains(&self.name));
        names.sort();
        names
    }

    /// The byte by which receivers say that they have attached.
    fn supported(&self) -> u8 {
        fs::read(&self.info).unwrap()[8]
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        for object in self.objects() {
            let _ = fs::remove_file(format!("{OBJECTS}/{object}"));
        }
    }
}

/// A channel block, field by field (wire §8).
fn channels(names: &[&str], rate: f32, rows: &[&[f32]]) -> Vec<u8> {
    let samples: Vec<u8> = rows.concat().iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let text: Vec<u8> = names.iter().flat_map(|name| [name.as_bytes(), &[0]].concat()).collect();
    let size = 36 + samples.len() + text.len();
    let words = [0x12ed_54cf, 1, size as u32, rows.len() as u32, rows[0].len() as u32, rate.to_bits()];
    let ends = [u32::from(!names.is_empty()), 36, 36 + samples.len() as u32];
    let header: Vec<u8> = words.into_iter().chain(ends).flat_map(u32::to_le_bytes).collect();
    [header, samples, text].concat()
}

/// An image block of rgba8 with a header of version 1 (wire §9.1).
fn image(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let one = 1_f32.to_bits();
    let words = [0xd95e_f835, 1, width, height, one, one, 37, 0, pixels.len() as u32, 0, 48, 0];
    [words.into_iter().flat_map(u32::to_le_bytes).collect(), pixels.to_vec()].concat()
}

#[test]
fn it_is_read_under_its_lock_and_nothing_is_made_or_said() {
    let name = Name::new();
    let foreign = Foreign::create(&name, &channels(&["tx"], 60.0, &[&[1.0, 2.0]]), 4096);
    let lock = foreign.lock();
    let before = foreign.objects();
    let mut model = following(&name);
    until(&mut model, &name, |segment| history(segment, 0) == [1.0, 2.0]);
    foreign.put(&channels(&["tx"], 60.0, &[&[3.0, 4.0]]));
    until(&mut model, &name, |segment| history(segment, 0) == [1.0, 2.0, 3.0, 4.0]);
    let segment = model.segment(&name.0).unwrap();
    assert!(!segment.content().unwrap().may_be_torn());
    assert!(segment.frames().is_none() && segment.receivers().is_none() && segment.age().is_none());
    until(&mut model, &name, |segment| {
        segment.rate().is_some() && warns(segment, "foreign: another program's sender")
    });
    assert_eq!((foreign.objects(), foreign.supported()), (before, 0));
    // While somebody holds the lock nothing is read, and that is said.
    let (let_go, asked) = mpsc::channel::<()>();
    let (say, taken) = mpsc::channel();
    let holder = thread::spawn(move || {
        let held = lock.lock().unwrap();
        say.send(()).unwrap();
        let _ = asked.recv();
        drop(held);
    });
    taken.recv().unwrap();
    foreign.put(&channels(&["tx"], 60.0, &[&[5.0, 6.0]]));
    until(&mut model, &name, |segment| segment.content().unwrap().error().is_some());
    assert_eq!(history(model.segment(&name.0).unwrap(), 0).last(), Some(&4.0));
    let waited = model.segment(&name.0).unwrap().lock().longest_wait();
    assert!(waited > Duration::ZERO && waited <= Options::default().lock_limit, "{waited:?}");
    drop(let_go);
    holder.join().unwrap();
    until(&mut model, &name, |segment| history(segment, 0).last() == Some(&6.0));
    assert_eq!(model.segment(&name.0).unwrap().content().unwrap().error(), None);
}

#[test]
fn without_a_lock_it_is_read_and_said_that_it_may_be_torn() {
    let name = Name::new();
    let foreign = Foreign::create(&name, &channels(&[], 60.0, &[&[1.0]]), 4096);
    let before = foreign.objects();
    let mut model = following(&name);
    until(&mut model, &name, |segment| history(segment, 0) == [1.0]);
    let content = model.segment(&name.0).unwrap().content().unwrap();
    assert!(content.may_be_torn());
    assert_eq!(**content.channels().unwrap().names(), ["chan1".to_owned()]);
    assert_eq!((foreign.objects(), model.segment(&name.0).unwrap().lock().seen()), (before, None));
}

#[test]
fn of_what_is_large_no_more_is_copied_than_was_said() {
    let name = Name::new();
    let pixels: Vec<u8> = (0..16_u8).flat_map(|row| [row; 4 * 8]).collect();
    let foreign = Foreign::create(&name, &image(8, 16, &pixels), 8192);
    let _lock = foreign.lock();
    let mut model = Model::new(Options {
        survey_every: Duration::from_millis(20),
        foreign_bytes: 4 * 8 * 5,
        ..Options::default()
    });
    model.follow(&name.0, Instant::now());
    until(&mut model, &name, |segment| segment.content().unwrap().image().is_some());
    let image = model.segment(&name.0).unwrap().content().unwrap().image().unwrap();
    // Sixteen rows in at most five.
    assert_eq!((image.rows_apart(), image.shape().height), (4, 16));
    let rows: Vec<u8> = image.rows_from_top().map(|row| row[0]).collect();
    assert_eq!(rows, [12, 8, 4, 0]);

    // And of channels the last samples.
    foreign.put(&channels(&["a", "b"], 60.0, &[&[1.0; 30], &[2.0; 30]]));
    until(&mut model, &name, |segment| segment.content().unwrap().channels().is_some());
    let channels = model.segment(&name.0).unwrap().content().unwrap().channels().unwrap();
    assert_eq!((channels.kept(), channels.shape().len_samples), (20, 30));
    assert_eq!((channels.newest(0), channels.newest(1)), (&[1.0; 20][..], &[2.0; 20][..]));
}

#[test]
fn whatever_lies_there_is_a_sentence_and_no_harm() {
    let name = Name::new();
    let good = channels(&["tx"], 60.0, &[&[1.0, 2.0]]);
    let foreign = Foreign::create(&name, &good, 4096);
    let _lock = foreign.lock();
    let mut model = following(&name);
    until(&mut model, &name, |segment| history(segment, 0) == [1.0, 2.0]);
    // More channels than the segment can hold.
    let mut bad = good.clone();
    bad[12..16].copy_from_slice(&5000_u32.to_le_bytes());
    foreign.put(&bad);
    until(&mut model, &name, |segment| {
        segment.content().unwrap().error().is_some_and(|error| error.contains("5000"))
            && warns(segment, "5000")
    });
    assert_eq!(history(model.segment(&name.0).unwrap(), 0), [1.0, 2.0], "the last good frame stays");
    // Any word may be anything.
    let mut bits = 12_345_u32;
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..3 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = 4 * (bits as usize >> 8) % 36;
            bad[at..at + 4].copy_from_slice(&(bits >> (bits % 30)).to_le_bytes());
        }
        foreign.put(&bad);
        model.survey_soon();
        model.tick(Instant::now() + Duration::from_secs(1));
    }
    // Names that are announced and do not end.
    let mut endless = channels(&["tx"], 60.0, &[&[1.0, 2.0]]);
    *endless.last_mut().unwrap() = b'x';
    endless.resize(4096, b'x');
    foreign.put(&endless);
    until(&mut model, &name, |segment| warns(segment, "not all of them end in what is mapped"));
    foreign.put(&[good, vec![0; 4000]].concat());
    until(&mut model, &name, |segment| {
        segment.content().unwrap().error().is_none() && !warns(segment, "not all of them end")
    });
}

#[test]
fn a_misnamed_info_segment_and_one_of_another_layout_are_told() {
    let name = Name::new();
    let info = format!("{OBJECTS}/TouchSHM{}4jhd783h", name.as_str());
    let misnamed =
        Foreign::with_info(name.as_str().to_owned(), info, &channels(&["a"], 60.0, &[&[1.0]]), 4096);
    let _lock = misnamed.lock();
    let mut model = following(&name);
    until(&mut model, &name, |segment| warns(segment, "with TouchSHM once") && history(segment, 0) == [1.0]);
    drop(misnamed);
    until_gone(&mut model, &name);

    let wide = Foreign::create(&name, &channels(&["a"], 60.0, &[&[1.0]]), 4096);
    // A postfix of 16-bit characters, where the system's own programs have 8-bit ones; and an old version.
    let letters: Vec<u8> =
        "abcdefghijklmnopqrstuvwxyzabcde".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut block = fs::read(&wide.info).unwrap();
    block.resize(76, 0);
    block[10..10 + letters.len()].copy_from_slice(&letters);
    block[4] = 1;
    fs::write(&wide.info, block).unwrap();
    until(&mut model, &name, |segment| warns(segment, "16-bit characters") && warns(segment, "version is 1"));
}
