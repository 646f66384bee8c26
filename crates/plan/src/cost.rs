//! What plans cost, in PostgreSQL's units: a page read in sequence costs 1.
//!
//! The formulas are those of PostgreSQL's manual and of the papers that it cites: Mackert and
//! Lohman's estimate of the pages that scattered reads touch through a cache. There are no bitmap
//! scans; unless `enable_bitmapscan` forbids it, a scan of an index is priced as the cheaper of
//! PostgreSQL's plain and bitmap scans, with something for finding each row in the table's tree.

/// What finding a row in the table's tree costs, in rows that are read in sequence.
const ROW_FETCH: f64 = 10.0;

/// The settings that costs depend on.
#[derive(Clone, Copy, PartialEq, Debug)]
#[expect(missing_docs, reason = "the names are the settings'")]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct CostSettings {
    pub seq_page_cost: f64,
    pub random_page_cost: f64,
    pub cpu_tuple_cost: f64,
    pub cpu_index_tuple_cost: f64,
    pub cpu_operator_cost: f64,
    pub effective_cache_pages: f64,
    pub work_mem_bytes: f64,
    pub cursor_tuple_fraction: f64,
    pub enable_seqscan: bool,
    pub enable_indexscan: bool,
    pub enable_bitmapscan: bool,
    pub enable_hashjoin: bool,
    pub enable_nestloop: bool,
    pub enable_hashagg: bool,
    pub enable_sort: bool,
}

impl Default for CostSettings {
    fn default() -> CostSettings {
        CostSettings {
            seq_page_cost: 1.0,
            random_page_cost: 4.0,
            cpu_tuple_cost: 0.01,
            cpu_index_tuple_cost: 0.005,
            cpu_operator_cost: 0.0025,
            effective_cache_pages: 524_288.0,
            work_mem_bytes: 4.0 * 1024.0 * 1024.0,
            cursor_tuple_fraction: 0.1,
            enable_seqscan: true,
            enable_indexscan: true,
            enable_bitmapscan: true,
            enable_hashjoin: true,
            enable_nestloop: true,
            enable_hashagg: true,
            enable_sort: true,
        }
    }
}

/// A cost: plans with fewer nodes that settings forbid are cheaper than any others.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
pub(crate) struct Cost {
    /// Nodes that a setting forbids.
    pub(crate) disabled: u32,
    /// Until the last row.
    pub(crate) total: f64,
    /// Until the first row.
    pub(crate) startup: f64,
}

impl Cost {
    /// The cost of the first part of the rows.
    pub(crate) fn of_part(self, part: f64) -> Cost {
        let total = self.startup + (self.total - self.startup) * part.clamp(0.0, 1.0);
        Cost { total, ..self }
    }
}

/// What the scan of an index goes through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexWork {
    /// Rows and pages of the table.
    pub(crate) rows: f64,
    pub(crate) pages: f64,
    /// Entries and pages of the index.
    pub(crate) entries: f64,
    pub(crate) index_pages: f64,
    /// The part of the entries that the bounds leave.
    pub(crate) selectivity: f64,
    /// How many conditions the bounds are made of, and how many are tried on rows.
    pub(crate) bounds: f64,
    pub(crate) filters: f64,
    /// How many ranges.
    pub(crate) ranges: f64,
    /// How far the order of the table is that of the index, from -1 to 1.
    pub(crate) correlation: f64,
    /// How often the scan is run.
    pub(crate) loops: f64,
    /// Rows must come in the order of the index.
    pub(crate) ordered: bool,
}

impl CostSettings {
    /// A scan of all rows.
    pub(crate) fn seq_scan(&self, rows: f64, pages: f64, filters: f64) -> Cost {
        let cpu = rows * (self.cpu_tuple_cost + self.cpu_operator_cost * filters);
        let total = pages * self.seq_page_cost + cpu;
        Cost { disabled: u32::from(!self.enable_seqscan), total, startup: 0.0 }
    }

    /// The pages that fetching `rows` scattered rows touches.
    fn pages_fetched(&self, rows: f64, pages: f64, index_pages: f64) -> f64 {
        let pages = pages.max(1.0);
        let cache = (self.effective_cache_pages * pages / (pages + index_pages)).max(1.0).ceil();
        if pages <= cache {
            return (2.0 * pages * rows / (2.0 * pages + rows)).min(pages).ceil();
        }
        let limit = 2.0 * pages * cache / (2.0 * pages - cache);
        let fetched = if rows <= limit {
            2.0 * pages * rows / (2.0 * pages + rows)
        } else {
            cache + (rows - limit) * (pages - cache) / pages
        };
        fetched.ceil()
    }

    /// A scan of a range of an index.
    pub(crate) fn index_scan(&self, work: &IndexWork) -> Cost {
        let loops = work.loops.max(1.0);
        let hits = (work.entries * work.selectivity).max(1.0);
        let index_pages = (hits * work.index_pages / work.entries.max(1.0)).ceil().max(1.0);
        let read = if loops > 1.0 {
            self.pages_fetched(index_pages * loops, work.index_pages, 0.0) / loops
        } else {
            index_pages
        };
        let descents = work.ranges.max(1.0);
        let height = work.index_pages.max(1.0).log(256.0).floor();
        let descent = work.entries.max(1.0).log2().ceil() * self.cpu_operator_cost
            + (height + 1.0) * 50.0 * self.cpu_operator_cost;
        let startup = descent * descents;
        let index = startup
            + read * self.random_page_cost
            + hits * (self.cpu_index_tuple_cost + self.cpu_operator_cost * work.bounds);
        let fetched = (work.rows * work.selectivity).max(1.0);
        let cpu = fetched * (self.cpu_tuple_cost + self.cpu_operator_cost * work.filters);
        let scattered = self.pages_fetched(fetched * loops, work.pages, work.index_pages) / loops;
        let worst = scattered * self.random_page_cost;
        let together = (work.selectivity * work.pages).ceil().max(1.0);
        let best = self.random_page_cost + (together - 1.0) * self.seq_page_cost;
        let ordered = work.correlation * work.correlation;
        let plain = worst + ordered * (best - worst).min(0.0);
        let span = self.random_page_cost - self.seq_page_cost;
        let part = (scattered / work.pages.max(1.0)).clamp(0.0, 1.0).sqrt();
        // One page is never read in sequence.
        let per_page = if scattered < 2.0 {
            self.random_page_cost
        } else {
            self.random_page_cost - span * part
        };
        let bitmap = scattered * per_page + fetched * ROW_FETCH * self.cpu_tuple_cost;
        let no_bitmap = work.ordered || !self.enable_bitmapscan;
        let pages = if no_bitmap { plain } else { plain.min(bitmap) };
        Cost { disabled: u32::from(!self.enable_indexscan), total: index + pages + cpu, startup }
    }

    /// Sorting; only the first `limit` rows if there is a limit.
    pub(crate) fn sort(&self, input: Cost, rows: f64, width: f64, limit: Option<f64>) -> Cost {
        let rows = rows.max(2.0);
        let kept = limit.map_or(rows, |limit| limit.clamp(1.0, rows));
        let comparison = 2.0 * self.cpu_operator_cost;
        let compared = if kept * 2.0 < rows { (2.0 * kept).log2() } else { rows.log2() };
        let mut startup = input.total + comparison * rows * compared.max(1.0);
        let bytes = kept * (width + 24.0);
        if bytes > self.work_mem_bytes {
            let pages = (bytes / 8192.0).ceil();
            startup += 2.0 * pages * (0.75 * self.seq_page_cost + 0.25 * self.random_page_cost);
        }
        let total = startup + self.cpu_operator_cost * rows;
        Cost { disabled: input.disabled + u32::from(!self.enable_sort), total, startup }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> IndexWork {
        IndexWork {
            rows: 10_000.0,
            pages: 100.0,
            entries: 10_000.0,
            index_pages: 30.0,
            selectivity: 0.0001,
            bounds: 1.0,
            filters: 0.0,
            ranges: 1.0,
            correlation: 0.0,
            loops: 1.0,
            ordered: false,
        }
    }

    #[test]
    fn one_row_by_an_index_costs_what_postgresql_says() {
        // EXPLAIN of PostgreSQL says 0.29..8.30 for a unique index over 10,000 rows.
        let cost = CostSettings::default().index_scan(&work());
        assert!((8.0..8.6).contains(&cost.total), "{cost:?}");
        assert!((0.15..0.4).contains(&cost.startup), "{cost:?}");
    }

    #[test]
    fn the_whole_table_is_cheaper_read_in_sequence() {
        let costs = CostSettings::default();
        let all = costs.index_scan(&IndexWork { selectivity: 1.0, ..work() });
        assert!(costs.seq_scan(10_000.0, 100.0, 1.0).total < all.total);
    }

    #[test]
    fn what_is_forbidden_costs_more_than_anything() {
        let costs = CostSettings { enable_seqscan: false, ..CostSettings::default() };
        let forbidden = costs.seq_scan(1.0, 1.0, 0.0);
        let dear = costs.index_scan(&IndexWork { selectivity: 1.0, ..work() });
        assert!(dear < forbidden);
    }

    #[test]
    fn repeated_scans_share_pages() {
        let costs = CostSettings::default();
        let once = costs.index_scan(&work());
        let often = costs.index_scan(&IndexWork { loops: 10_000.0, ..work() });
        assert!(often.total < once.total / 4.0, "{often:?} {once:?}");
    }
}
