package certificate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/certificate/certtest"
)

// pair is a certificate and its key as PEM.
type pair struct{ cert, key []byte }

func newPair(t *testing.T, name string) pair {
	t.Helper()
	cert, key := certtest.New(t, name, time.Now().Add(time.Hour))
	return pair{cert, key}
}

// folder is where the files are.
type folder struct {
	*testing.T
	cert, key string
	log       bytes.Buffer
}

func newFolder(t *testing.T) *folder {
	dir := t.TempDir()
	return &folder{T: t, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
}

// put replaces a file as a careful tool does.
func (d *folder) put(name string, data []byte) {
	d.Helper()
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		d.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		d.Fatal(err)
	}
}

func (d *folder) load() *Files {
	d.Helper()
	f, err := Load(d.cert, d.key, slog.New(slog.NewTextHandler(&d.log, nil)))
	if err != nil {
		d.Fatal(err)
	}
	return f
}

// inUse loads a certificate, and makes another that may follow.
func inUse(t *testing.T) (d *folder, f *Files, before, after pair) {
	t.Helper()
	d = newFolder(t)
	before, after = newPair(t, "before"), newPair(t, "after")
	d.put(d.cert, before.cert)
	d.put(d.key, before.key)
	return d, d.load(), before, after
}

// serves checks whose certificate a client gets, a while after the last one
// connected.
func (d *folder) serves(f *Files, want string) {
	d.Helper()
	f.looked = time.Time{}
	d.servesNow(f, want)
}

func (d *folder) servesNow(f *Files, want string) {
	d.Helper()
	got, err := f.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil || got.Leaf.Subject.CommonName != want {
		d.Errorf("the certificate is %v, %v, want %s", got.Leaf.Subject, err, want)
	}
}

func TestReplaced(t *testing.T) {
	d, f, _, after := inUse(t)
	d.serves(f, "before")
	d.put(d.cert, after.cert)
	d.put(d.key, after.key)
	d.servesNow(f, "before") // it has just looked
	d.serves(f, "after")
	d.serves(f, "after")
	if n := strings.Count(d.log.String(), "certificate read"); n != 1 {
		t.Errorf("read %d times: %s", n, &d.log)
	}
}

// TestSameTick: another certificate may be as long as the one before, and as old.
func TestSameTick(t *testing.T) {
	d := newFolder(t)
	before, after := newPair(t, "before"), newPair(t, "after!")
	for len(before.cert) != len(after.cert) {
		before, after = newPair(t, "before"), newPair(t, "after!")
	}
	written := time.Now().Truncate(time.Hour)
	put := func(p pair) {
		d.put(d.cert, p.cert)
		d.put(d.key, p.key)
		for _, name := range []string{d.cert, d.key} {
			if err := os.Chtimes(name, written, written); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(before)
	f := d.load()
	put(after)
	d.serves(f, "after!")
}

// TestBrokenStaysOut: until the new files are whole the old certificate is
// served, and the log says once why.
func TestBrokenStaysOut(t *testing.T) {
	d, f, before, after := inUse(t)
	for i, broken := range []func(){
		func() { d.put(d.cert, after.cert) }, // not its key yet
		func() { d.put(d.cert, []byte("no PEM")) },
		func() { d.put(d.cert, nil) },
		func() { _ = os.Remove(d.cert) },
	} {
		broken()
		d.serves(f, "before")
		d.serves(f, "before")
		if n := strings.Count(d.log.String(), "level=WARN"); n != i+1 {
			t.Fatalf("%d warnings: %s", n, &d.log)
		}
	}
	d.put(d.cert, after.cert)
	d.put(d.key, after.key)
	d.serves(f, "after")
	for line := range strings.Lines(string(before.key) + string(after.key)) {
		if len(line) > 30 && strings.Contains(d.log.String(), strings.TrimSpace(line)) && !strings.Contains(line, "PRIVATE") {
			t.Error("the log shows a key")
		}
	}
}

// TestTriedAgain: a key that may be read now, or is filled within a tick of the clock,
// looks like the one that could not be used.
func TestTriedAgain(t *testing.T) {
	d, f, _, after := inUse(t)
	fill := func(key []byte) {
		written := time.Now().Truncate(time.Hour)
		if err := errors.Join(os.WriteFile(d.key, key, 0o600), os.Chtimes(d.key, written, written)); err != nil {
			t.Fatal(err)
		}
	}
	d.put(d.cert, after.cert)
	fill(bytes.Repeat([]byte("\n"), len(after.key)))
	d.serves(f, "before")
	d.serves(f, "before")
	fill(after.key)
	d.serves(f, "after")
	if n := strings.Count(d.log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings: %s", n, &d.log)
	}
}

func TestLoadRefuses(t *testing.T) {
	d := newFolder(t)
	one, other := newPair(t, "one"), newPair(t, "other")
	for name, files := range map[string]pair{
		"nothing": {}, "no key": {cert: one.cert}, "another's key": {one.cert, other.key}, "swapped": {one.key, one.cert},
	} {
		d.put(d.cert, files.cert)
		d.put(d.key, files.key)
		if _, err := Load(d.cert, d.key, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), d.cert) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load(d.cert+"x", d.key, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file that is not there was read")
	}
}

// TestManyClients connect while the files change: nobody waits, nobody is left
// without a certificate.
func TestManyClients(t *testing.T) {
	d := newFolder(t)
	first := newPair(t, "first")
	d.put(d.cert, first.cert)
	d.put(d.key, first.key)
	f, err := Load(d.cert, d.key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f.looked = time.Time{}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 1000 {
				if got, err := f.GetCertificate(&tls.ClientHelloInfo{}); err != nil || got == nil {
					t.Error("no certificate")
				}
			}
		})
	}
	second := newPair(t, "second")
	d.put(d.cert, second.cert)
	d.put(d.key, second.key)
	clients.Wait()
	d.serves(f, "second")
}
