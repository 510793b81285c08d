//! A persistent map from chunk number to chunk: a radix tree whose nodes are shared by `Arc`. Cloning it costs one
//! count; changing one chunk of a clone copies the nodes on the way to it and no others.

use super::space::Chunk;
use std::sync::Arc;

const BITS: u32 = 5;
const FANOUT: usize = 1 << BITS;

#[derive(Debug, Clone)]
enum Node {
    Inner([Option<Arc<Node>>; FANOUT]),
    Leaf([Option<Arc<Chunk>>; FANOUT]),
}

/// Chunks by number; an absent one is a hole.
#[derive(Debug, Clone, Default)]
pub(super) struct ChunkMap {
    root: Option<Arc<Node>>,
    /// Levels of inner nodes above the leaves.
    height: u32,
}

fn empty(level: u32) -> Node {
    if level == 0 { Node::Leaf(Default::default()) } else { Node::Inner(Default::default()) }
}

fn slot(index: u64, level: u32) -> usize {
    ((index >> (BITS * level)) as usize) & (FANOUT - 1)
}

impl ChunkMap {
    /// True where a chunk number lies within the tree as it is now.
    fn covers(&self, index: u64) -> bool {
        index.checked_shr(BITS * (self.height + 1)).unwrap_or(0) == 0
    }

    /// The chunk, or a hole.
    pub(super) fn get(&self, index: u64) -> Option<&Chunk> {
        if !self.covers(index) {
            return None;
        }
        let (mut node, mut level) = (self.root.as_deref()?, self.height);
        loop {
            match node {
                Node::Inner(children) => node = children[slot(index, level)].as_deref()?,
                Node::Leaf(chunks) => return chunks[slot(index, 0)].as_deref(),
            }
            level = level.saturating_sub(1);
        }
    }

    /// The place of a chunk, its nodes made this map's own.
    pub(super) fn place(&mut self, index: u64) -> &mut Option<Arc<Chunk>> {
        while !self.covers(index) {
            self.height += 1;
            if let Some(old) = self.root.take() {
                let mut children: [Option<Arc<Node>>; FANOUT] = Default::default();
                children[0] = Some(old);
                self.root = Some(Arc::new(Node::Inner(children)));
            }
        }
        let mut level = self.height;
        let mut node = Arc::make_mut(self.root.get_or_insert_with(|| Arc::new(empty(level))));
        loop {
            match node {
                Node::Inner(children) => {
                    let child = &mut children[slot(index, level)];
                    level = level.saturating_sub(1);
                    node = Arc::make_mut(child.get_or_insert_with(|| Arc::new(empty(level))));
                }
                Node::Leaf(chunks) => return &mut chunks[slot(index, 0)],
            }
        }
    }

    /// Makes holes of the chunk `from` and all after it.
    pub(super) fn cut(&mut self, from: u64) {
        if from == 0 {
            *self = ChunkMap::default();
        } else if let (true, Some(root)) = (self.covers(from), self.root.as_mut()) {
            cut_node(root, self.height, from);
        }
    }
}

/// Within one node: keeps what lies before `from`, of which only the low bits of this level and below count.
fn cut_node(node: &mut Arc<Node>, level: u32, from: u64) {
    let at = slot(from, level);
    match Arc::make_mut(node) {
        Node::Leaf(chunks) => chunks[at..].fill(None),
        Node::Inner(children) => {
            children[at + 1..].fill(None);
            let rest = from & ((1 << (BITS * level)) - 1);
            if rest == 0 {
                children[at] = None;
            } else if let Some(child) = children[at].as_mut() {
                cut_node(child, level - 1, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::space::Space, *};
    use std::collections::BTreeSet;

    fn filled(indexes: &[u64]) -> (ChunkMap, Arc<Space>) {
        let (mut map, space) = (ChunkMap::default(), Space::unlimited());
        for index in indexes {
            *map.place(*index) = Some(Arc::new(Chunk::new(None, &space).unwrap()));
        }
        (map, space)
    }

    const INDEXES: [u64; 11] = [0, 1, 31, 32, 33, 1023, 1024, 40_000, 1 << 20, (1 << 40) + 7, u64::MAX >> 17];

    #[test]
    fn what_was_placed_is_found_and_nothing_else() {
        let (map, _space) = filled(&INDEXES);
        let known = BTreeSet::from(INDEXES);
        for index in INDEXES.iter().flat_map(|i| [i.saturating_sub(1), *i, i + 1]) {
            assert_eq!(map.get(index).is_some(), known.contains(&index), "chunk {index}");
        }
    }

    #[test]
    fn a_cut_drops_exactly_what_lies_behind_it_and_leaves_clones_alone() {
        for cut in INDEXES.iter().flat_map(|i| [*i, i + 1]) {
            let (mut map, space) = filled(&INDEXES);
            let clone = map.clone();
            map.cut(cut);
            for index in INDEXES {
                assert_eq!(map.get(index).is_some(), index < cut, "chunk {index} after a cut at {cut}");
                assert!(clone.get(index).is_some());
            }
            drop(clone);
            let kept = INDEXES.iter().filter(|i| **i < cut).count() as u64;
            assert_eq!(space.used_bytes(), kept * super::super::space::CHUNK_BYTES as u64);
        }
    }
}
