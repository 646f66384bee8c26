//! System catalogs, their caches, bootstrap from facts.
