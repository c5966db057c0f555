package harness

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "wimz.dev/live/"

// allowed says which parts of the module each part may import besides itself.
// The longest matching prefix counts.
var allowed = map[string][]string{
	"relay/wire":     {},
	"relay/cli":      {},
	"relay":          {"relay"},
	"robot/rtc":      {"relay/wire"},
	"robot":          {"relay/cli", "relay/client", "relay/wire"},
	"simapp":         {"relay/cli", "relay/client", "relay/wire", "robot/rtc", "robot/testpattern"},
	"fakecloudflare": {"relay/cli", "robot/rtc"},
	"e2e":            {"relay", "robot", "simapp", "fakecloudflare", "e2e"},
}

// Tests may look further: an encoder is tested with a decoder, a client of an
// API with its fake.
var allowedInTests = map[string][]string{
	"robot": {"simapp/decode"},
	"relay": {"fakecloudflare"},
}

func TestImportsPointOneWay(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		checkImports(t, path, filepath.ToSlash(relative))
		return nil
	})
	if err != nil || files < 50 {
		t.Fatalf("looked at %d files: %v", files, err)
	}
}

func checkImports(t *testing.T, path, name string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	part := longestPrefix(name)
	may := allowed[part]
	if strings.HasSuffix(name, "_test.go") {
		may = slices.Concat(may, allowedInTests[part])
	}
	for _, spec := range file.Imports {
		imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module)
		if ours && !slices.ContainsFunc(may, func(p string) bool { return within(imported, p) }) && !within(imported, part) {
			t.Errorf("%s imports %s: %s may import only %v", name, imported, part, may)
		}
	}
}

func longestPrefix(name string) (part string) {
	for candidate := range allowed {
		if within(name, candidate) && len(candidate) > len(part) {
			part = candidate
		}
	}
	return part
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
