package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/joho/godotenv"
)

func TestParseEnv(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"ours", "# comment\nexport PORT=1\nHOST='a $b'\n\nLOG_LEVEL=\n", ""},
		{"unknown", "PORT=1\nJWT_SECRT=" + hush, "unknown variable JWT_SECRT; did you mean JWT_SECRET?"},
		{"two unknown", "TURN_TTL=1\nHOSTS=2", "unknown variable HOSTS; did you mean HOST?\nunknown variable TURN_TTL; did you mean "},
		{"lower case", "port=1", "did you mean PORT?"},
		{"no equals sign", "PORT=1\n\nJWT_SECRET " + hush + "\nHOST=x", "line 3 is not NAME=value"},
		{"blank for equals sign", "JWT_SECRET " + hush + "=", "line 1 is not NAME=value"},
		{"half a secret", "JWT_SECRET=\n" + strings.ReplaceAll(hush, "-", "_") + "==", "a line does not begin with the name of a variable"},
		{"open quote", "PORT=1\nJWT_SECRET='" + hush + "\nHOST=x", "line 2 is not NAME=value"},
		{"too large", strings.Repeat("#", maxEnvFile+1), "larger than 65536 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseEnv(tc.text)
			if (err == nil) != (tc.want == "") || !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if strings.Contains(fmt.Sprint(err), hush[:4]) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestEnvironmentFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if env, err := Environment(nil, ""); err != nil || len(env) != 0 {
		t.Errorf("a missing default file is no error, got %v, %v", env, err)
	}
	if _, err := Environment(nil, defaultEnvFile); err == nil {
		t.Error("a missing file that was named is an error")
	}
	write(t, filepath.Join(dir, ".env"), "PORT=1")
	if env, err := Environment(nil, ""); err != nil || env["PORT"] != "1" {
		t.Errorf("the default file is not read: %v, %v", env, err)
	}
	write(t, filepath.Join(dir, ".env"), "PROT=1")
	if _, err := Environment(nil, ""); !strings.HasPrefix(fmt.Sprint(err), ".env: unknown variable PROT") {
		t.Errorf("got %v", err)
	}
}

// TestExample keeps .env.example equal to the code: it names every variable
// and no other, and shows the defaults.
func TestExample(t *testing.T) {
	const example = "../../../.env.example"
	env, err := Environment(nil, example)
	if err != nil {
		t.Fatal(err)
	}
	c, err := load(t, nil, env)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); fmt.Sprintf("%#v", c) != fmt.Sprintf("%#v", want) || c.JWTSecret+c.TURNAPIToken+c.TURNSecret+c.TURNPassword != "" {
		t.Errorf("the values of the example are not the defaults:\n got %#v\nwant %#v", c, want)
	}
	all, err := godotenv.Read(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if _, there := all[name]; !there {
			t.Errorf("%s is not in the example", name)
		}
	}
	if len(all) != len(Names()) {
		t.Errorf("the example has %d variables, the code %d", len(all), len(Names()))
	}
}

func FuzzParseEnv(f *testing.F) {
	f.Add("PORT=1\nHOST='a'\n")
	f.Add("JWT_SECRET \"" + hush)
	f.Add("A: b # c\r\nexport D=$E")
	f.Fuzz(func(t *testing.T, text string) {
		env, err := parseEnv(text)
		for name := range env {
			if err != nil || !slices.Contains(Names(), name) {
				t.Errorf("%q passed with error %v", name, err)
			}
		}
	})
}

func FuzzParseSeconds(f *testing.F) {
	for _, seed := range []string{"3600", "60s", "-1", "", "1e9h", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseSeconds(text); err != nil && d != 0 {
			t.Errorf("%q gives %v and %v", text, d, err)
		}
	})
}

func FuzzDatabaseURL(f *testing.F) {
	f.Add("sqlite:///a/b.db")
	f.Add("sqlite://:memory:")
	f.Add("postgres://u:p@h/d")
	f.Fuzz(func(t *testing.T, url string) {
		path, err := DatabaseURL(url).Path()
		if (path == "") != (err != nil) || strings.Contains(path, "://") {
			t.Errorf("%q gives %q, %v", url, path, err)
		}
	})
}

func FuzzDatabaseURLHidesPassword(f *testing.F) {
	f.Add("password")
	f.Add("1/2@3#4?5%6")
	f.Fuzz(func(t *testing.T, password string) {
		u := DatabaseURL("postgres://user:" + password + "-secret@host/db?password=secret")
		if strings.Contains(u.String(), "secret") {
			t.Errorf("%q shows %q", password, u)
		}
	})
}
