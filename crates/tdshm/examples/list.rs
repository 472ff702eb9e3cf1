//! Lists what is there, without touching it: `list`, or `list NAME` for one segment.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use tdshm::SegmentReport;

fn main() -> Result<(), tdshm::Error> {
    match std::env::args().nth(1) {
        Some(name) => show(&tdshm::inspect(&name)?),
        None => tdshm::list()?.iter().for_each(show),
    }
    Ok(())
}

fn show(report: &SegmentReport) {
    println!("{}", report.name);
    if let Some(Ok(chop)) = report.chop.as_ref().map(|chop| &chop.layout) {
        println!(
            "  {} channels of {} samples at {} Hz",
            chop.num_channels, chop.len_samples, chop.sample_rate
        );
    }
    match &report.notices {
        Some(sender) => {
            let state = if sender.owner_alive { "lives" } else { "is dead" };
            println!("  {} {state} and has sent {} frames", sender.program, sender.frames);
            println!("  {} receivers", sender.receivers.iter().filter(|receiver| receiver.alive).count());
        }
        None => println!("  made by another program"),
    }
}
