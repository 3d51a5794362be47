//! Reads the figures of this process, most of them from `/proc`, under the names that all client libraries of
//! Prometheus use.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use crate::metrics::{Sample, SampleKind};

/// Returns the figures of this process, without those that cannot be read. On a system without `/proc`, only the limit
/// of open files is left.
pub(super) fn samples() -> Vec<Sample> {
    let stat = read("/proc/self/stat");
    let fields = stat.as_deref().map(fields_after_name).unwrap_or_default();
    let boot_time = read("/proc/stat").as_deref().and_then(boot_time);
    let samples = [
        cpu_seconds(&fields),
        memory(&fields),
        start_time(&fields, boot_time),
        open_fds(),
        max_fds(),
    ];
    samples.into_iter().flatten().collect()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Returns the fields of `/proc/self/stat` after the name of the program, which is in parentheses and may contain
/// spaces and parentheses. The first of them is field 3 of proc(5).
fn fields_after_name(stat: &str) -> Vec<&str> {
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
    fields.unwrap_or_default().split_whitespace().collect()
}

/// Parses a field by its number in proc(5).
fn field(fields: &[&str], number: usize) -> Option<f64> {
    fields.get(number.checked_sub(3)?)?.parse().ok()
}

fn boot_time(stat: &str) -> Option<f64> {
    let mut lines = stat.lines();
    lines.find_map(|line| line.strip_prefix("btime ")?.parse().ok())
}

fn ticks_per_second() -> f64 {
    u32::try_from(clock_ticks_per_second()).map_or(100.0, f64::from)
}

fn cpu_seconds(fields: &[&str]) -> Option<Sample> {
    let ticks = field(fields, 14)? + field(fields, 15)?;
    Some(Sample {
        kind: SampleKind::Counter,
        ..Sample::gauge(
            "process_cpu_seconds_total",
            "Time for which the process has used a CPU.",
            ticks / ticks_per_second(),
        )
    })
}

fn memory(fields: &[&str]) -> Option<Sample> {
    let page_size = f64::from(u32::try_from(page_size()).ok()?);
    Some(Sample::gauge(
        "process_resident_memory_bytes",
        "Memory of the process (RSS).",
        field(fields, 24)? * page_size,
    ))
}

fn start_time(fields: &[&str], boot_time: Option<f64>) -> Option<Sample> {
    Some(Sample::gauge(
        "process_start_time_seconds",
        "Start of the process, in seconds since 1970.",
        boot_time? + field(fields, 22)? / ticks_per_second(),
    ))
}

fn open_fds() -> Option<Sample> {
    // Reading the folder opens a file itself, which is not counted.
    let count = fs::read_dir("/proc/self/fd").ok()?.count().checked_sub(1)?;
    Some(Sample::gauge(
        "process_open_fds",
        "Open files and sockets of the process.",
        f64::from(u32::try_from(count).ok()?),
    ))
}

fn max_fds() -> Option<Sample> {
    let limit = u32::try_from(getrlimit(Resource::Nofile).current?).ok()?;
    Some(Sample::gauge(
        "process_max_fds",
        "The most open files and sockets of the process.",
        f64::from(limit),
    ))
}

#[cfg(test)]
mod tests {
    use super::{boot_time, cpu_seconds, field, fields_after_name, memory, samples, start_time};

    /// Returns a line as in `/proc/self/stat`, with the field numbers as values, except for the name and the state.
    fn stat_line(name: &str) -> String {
        let numbers = (4..=52).map(|number| number.to_string());
        let fields: Vec<_> = numbers.collect();
        format!("1 ({name}) S {}\n", fields.join(" "))
    }

    #[test]
    fn fields_are_found_by_their_number_after_any_program_name() {
        for name in ["api-server", "a b", "a) S 1 (b", ")", ""] {
            let line = stat_line(name);
            let fields = fields_after_name(&line);
            for number in [4.0, 14.0, 22.0, 24.0, 52.0] {
                let number_as_index = format!("{number}").parse().unwrap();
                assert_eq!(field(&fields, number_as_index), Some(number), "{name:?}");
            }
            assert_eq!(field(&fields, 53), None);
            assert_eq!(field(&fields, 2), None);
            assert_eq!(field(&fields, 3), None, "not a number");
        }
    }

    #[test]
    fn a_missing_field_gives_no_sample() {
        for fields in [
            fields_after_name(""),
            fields_after_name("1 (a) S"),
            fields_after_name("1 (a"),
        ] {
            assert_eq!(cpu_seconds(&fields), None);
            assert_eq!(memory(&fields), None);
            assert_eq!(start_time(&fields, Some(1.0)), None);
        }
        assert_eq!(start_time(&fields_after_name(&stat_line("a")), None), None);
        assert_eq!(boot_time("cpu 1 2 3\n"), None);
        assert_eq!(
            boot_time("cpu 1\nbtime 1700000000\nprocesses 5\n"),
            Some(1.7e9)
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_every_figure_within_reason() {
        let samples = samples();
        let value = |name: &str| {
            let mut found = samples.iter().filter(|sample| sample.name == name);
            found.next().unwrap_or_else(|| panic!("{name}")).value
        };
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let age = now - value("process_start_time_seconds");
        assert!((-2.0..86_400.0).contains(&age), "{age}");
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_cpu_seconds_total") < 86_400.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert_eq!(samples.len(), 5);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_open_file_is_counted() {
        let open_fds = || super::open_fds().unwrap().value;
        // Other tests of this process open and close files too, so this test opens many, and requires half of them.
        let before = open_fds();
        let files: Vec<_> = (0..100)
            .map(|_| std::fs::File::open("/dev/null").unwrap())
            .collect();
        assert!(open_fds() >= before + 50.0);
        drop(files);
    }
}
