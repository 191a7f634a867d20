//! The scaler's filter, Lanczos with three lobes, from a table: the library asks for it anew for every plane of every
//! frame, and its two sines were a twentieth of a job's processor time. Pure.

use std::f64::consts::PI;
use std::sync::LazyLock;

use fast_image_resize::{Filter, FilterType};

/// The filter; where the library takes none of ours, its own.
pub static LANCZOS3: LazyLock<FilterType> = LazyLock::new(|| {
    let ours = Filter::new("Lanczos3 from a table", lanczos3, LOBES as f64);
    ours.map_or(FilterType::Lanczos3, FilterType::Custom)
});

const LOBES: usize = 3;
/// Between two of them the curve is a straight line to within 4e-7; a weight has 15 bits.
const STEPS: usize = 2048;

static TABLE: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let steps = 0..=LOBES * STEPS + 1;
    steps
        .map(|step| exact(step as f64 / STEPS as f64))
        .collect()
});

fn exact(x: f64) -> f64 {
    let sinc = |x: f64| match x == 0.0 {
        true => 1.0,
        false => (PI * x).sin() / (PI * x),
    };
    match x < LOBES as f64 {
        true => sinc(x) * sinc(x / LOBES as f64),
        false => 0.0,
    }
}

fn lanczos3(x: f64) -> f64 {
    let at = x.abs() * STEPS as f64;
    let step = at as usize;
    match TABLE.get(step..step.saturating_add(2)) {
        Some(&[from, to]) => from + (to - from) * (at - step as f64),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_curve() {
        for number in 0..=70_000_i32 {
            let x = f64::from(number - 35_000) / 10_000.0;
            let error = (lanczos3(x) - exact(x.abs())).abs();
            assert!(error < 4e-7, "at {x}: {error}");
        }
        assert_eq!(lanczos3(f64::INFINITY), 0.0);
        assert_eq!(lanczos3(0.0), 1.0);
    }
}
