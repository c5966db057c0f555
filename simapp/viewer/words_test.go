package viewer_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"wimz.dev/live/relay/wire"
)

// Every error of the contract has a sentence for the visitor.
func TestEveryErrorHasWords(t *testing.T) {
	data, err := os.ReadFile("page/words.js")
	if err != nil {
		t.Fatal(err)
	}
	words := string(data)
	for _, code := range []wire.Code{
		wire.CodeNoDevice, wire.CodeNotAuthorized, wire.CodeDeviceOffline, wire.CodeTURNError,
		wire.CodeViewerLimit, wire.CodeOfferTimeout, wire.CodeAnswerTimeout, wire.CodeSessionUnknown,
		wire.CodeRateLimited, wire.CodeTooLarge, wire.CodeBadMessage, wire.CodeInternal,
	} {
		if !strings.Contains(words, "\n  "+string(code)+": {") {
			t.Errorf("no words for %s", code)
		}
	}
	for _, reason := range []wire.Reason{
		wire.ReasonRobotLeft, wire.ReasonSuperseded, wire.ReasonAppGone, wire.ReasonRobotGone,
		wire.ReasonOfferTimeout, wire.ReasonAnswerTimeout, wire.ReasonRobotError,
		wire.ReasonUnauthorized, wire.ReasonTooSlow,
	} {
		if !strings.Contains(words, "\n  "+string(reason)+": ") {
			t.Errorf("no words for %s", reason)
		}
	}
}

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
