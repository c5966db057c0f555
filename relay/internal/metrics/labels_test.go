package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"
)

// sources parses a package, its tests left out.
func sources(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), dir, func(f fs.FileInfo) bool { //nolint:staticcheck // build tags do not matter
		return !strings.HasSuffix(f.Name(), "_test.go")
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		for _, file := range p.Files {
			files = append(files, file)
		}
	}
	return files
}

// TestEveryKindHasAName finds constants that would count as other.
func TestEveryKindHasAName(t *testing.T) {
	for _, tt := range []struct {
		dir, prefix string
		named       int
	}{
		{"../turn", "Kind", len(failureNames())},
		{"../hub", "Drop", len(dropReasons())},
		{"../../wire", "Close", len(closeCodes())},
	} {
		declared := 0
		for _, file := range sources(t, tt.dir) {
			for _, declaration := range file.Decls {
				constants, ok := declaration.(*ast.GenDecl)
				if !ok || constants.Tok != token.CONST {
					continue
				}
				for _, spec := range constants.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && strings.HasPrefix(value.Names[0].Name, tt.prefix) {
						declared++
					}
				}
			}
		}
		if declared != tt.named || declared == 0 {
			t.Errorf("%s declares %d constants %s…, %d have a name here", tt.dir, declared, tt.prefix, tt.named)
		}
	}
	names := map[string]bool{}
	for _, why := range dropReasons() {
		names[dropName(why)] = true
	}
	for _, kind := range failureNames() {
		names["turn "+kind] = true
	}
	for _, cause := range closeCauses() {
		names["close "+cause] = true
	}
	if want := len(dropReasons()) + len(failureNames()) + len(closeCauses()); len(names) != want {
		t.Errorf("%d names for %d things", len(names), want)
	}
}

// TestCausesAreConstant: what [auth.Cause] says becomes the value of a label, so
// nothing that somebody has sent may be in it.
func TestCausesAreConstant(t *testing.T) {
	denials := 0
	for _, file := range sources(t, "../auth") {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if function, ok := call.Fun.(*ast.Ident); !ok || function.Name != "deny" {
				return true
			}
			denials++
			switch cause := call.Args[0].(type) {
			case *ast.BasicLit:
				return true
			case *ast.CallExpr:
				if function, ok := cause.Fun.(*ast.Ident); ok && function.Name == "tokenCause" {
					return true // from a table
				}
			}
			t.Errorf("%s: a cause that is not constant", file.Name)
			return true
		})
	}
	if denials < 10 {
		t.Errorf("found %d denials", denials)
	}
}
