// Verifies a log with the code that Go's checksum database is verified with, golang.org/x/mod/sumdb.
//
//	verifier log DIRECTORY VKEY [KEPT]     the checkpoint, every entry, proofs; and that the log begins with
//	                                       that of the checkpoint in the file KEPT
//	verifier proof FILE VKEY ENTRY         a .tlog-proof of the entry, which is given in hex
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height, width = 8, 1 << 8

type directory string

func (d directory) Height() int { return height }

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// The checksum database writes the height of its tiles into their paths; tlog-tiles has one height.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (d directory) bundle(number, count int64) ([][]byte, error) {
	path := tlog.Tile{H: height, L: 0, N: number, W: int(count)}.Path()
	path = strings.Replace(path, "tile/8/0/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(string(d), path))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, fmt.Errorf("%s: an entry is cut off", path)
		}
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) > 0 || int64(len(entries)) != count {
		return nil, fmt.Errorf("%s: has %d entries, not %d", path, len(entries), count)
	}
	return entries, nil
}

func open(signed []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("the note is no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, fmt.Errorf("size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func verifyLog(dir directory, vkey string, kept string) error {
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(signed, vkey)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, dir)
	if err := verifyEntries(dir, tree, hashes); err != nil {
		return err
	}
	for _, size := range []int64{1, 2, tree.N / 3, tree.N / 2, tree.N - 1, tree.N} {
		if size < 1 || size > tree.N {
			continue
		}
		if err := verifyInclusion(tree, hashes, size-1); err != nil {
			return err
		}
		root, err := tlog.TreeHash(size, hashes)
		if err != nil {
			return err
		}
		if err := verifyGrowth(tree, hashes, tlog.Tree{N: size, Hash: root}); err != nil {
			return err
		}
	}
	if kept != "" {
		signed, err := os.ReadFile(kept)
		if err != nil {
			return err
		}
		old, err := open(signed, vkey)
		if err != nil {
			return err
		}
		return verifyGrowth(tree, hashes, old)
	}
	return nil
}

func verifyEntries(dir directory, tree tlog.Tree, hashes tlog.HashReader) error {
	for start := int64(0); start < tree.N; start += width {
		count := tree.N - start
		if count > width {
			count = width
		}
		entries, err := dir.bundle(start/width, count)
		if err != nil {
			return err
		}
		var indexes []int64
		for index := range entries {
			indexes = append(indexes, tlog.StoredHashIndex(0, start+int64(index)))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for index, entry := range entries {
			if tlog.RecordHash(entry) != leaves[index] {
				return fmt.Errorf("entry %d is not the one in the tree", start+int64(index))
			}
		}
	}
	return nil
}

func verifyInclusion(tree tlog.Tree, hashes tlog.HashReader, index int64) error {
	proof, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return err
	}
	leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0])
}

func verifyGrowth(tree tlog.Tree, hashes tlog.HashReader, old tlog.Tree) error {
	if old.N > tree.N {
		return fmt.Errorf("the log has %d entries, and had %d", tree.N, old.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func verifyProof(path, vkey, entry string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	leaf, err := hex.DecodeString(entry)
	if err != nil {
		return err
	}
	head, signed, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("is no proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("has no index")
	}
	index, err := strconv.ParseInt(lines[0][len("index "):], 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, err := open(signed, vkey)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
}

func main() {
	arguments := append(os.Args[1:], "", "", "", "")
	err := errors.New("log DIRECTORY VKEY [KEPT] | proof FILE VKEY ENTRY")
	switch arguments[0] {
	case "log":
		err = verifyLog(directory(arguments[1]), arguments[2], arguments[3])
	case "proof":
		err = verifyProof(arguments[1], arguments[2], arguments[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
