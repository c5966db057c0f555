package viewer_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every code of a command that a robot does not carry out has a sentence for the driver.
func TestEveryRefusalHasWords(t *testing.T) {
	contract, err := os.ReadFile("../../relay/wire/CONTRACT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(contract), "; its codes are ")
	list, _, ended := strings.Cut(list, ".")
	if !found || !ended {
		t.Fatal("CONTRACT.md §6 names no codes")
	}
	words, err := os.ReadFile("page/drivewords.js")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(list, -1)
	if len(codes) < 6 {
		t.Fatalf("CONTRACT.md §6 is read as %v", codes)
	}
	for _, code := range codes {
		if !strings.Contains(string(words), "\n    "+code[1]+": ") {
			t.Errorf("no words for %s", code[1])
		}
	}
}
