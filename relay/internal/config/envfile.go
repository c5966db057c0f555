package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

const (
	// defaultEnvFile is read when it exists and no other file is named.
	defaultEnvFile = ".env"
	// maxEnvFile bounds an .env file in bytes; ours has some hundred lines.
	maxEnvFile = 64 << 10
)

// Environment returns the known variables of environ ("NAME=value" each, as
// [os.Environ] gives them) over those of the .env file. An empty file name means
// .env, which may be missing; a file that was named may not.
func Environment(environ []string, file string) (map[string]string, error) {
	env, err := readEnvFile(file)
	if err != nil {
		return nil, err
	}
	known := Names()
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); value != "" && slices.Contains(known, name) {
			env[name] = value
		}
	}
	return env, nil
}

func readEnvFile(name string) (map[string]string, error) {
	optional := name == ""
	if optional {
		name = defaultEnvFile
	}
	file, err := os.Open(name) //nolint:gosec // the operator names the file
	if optional && errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the environment file: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxEnvFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the environment file: %w", err)
	}
	env, err := parseEnv(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return env, nil
}

// parseEnv reads NAME=value lines and refuses names that are not ours: a typing
// error would otherwise leave a default in force unnoticed.
func parseEnv(text string) (map[string]string, error) {
	if len(text) > maxEnvFile {
		return nil, fmt.Errorf("larger than %d bytes", maxEnvFile)
	}
	env, err := godotenv.Unmarshal(text)
	if err != nil {
		// Not wrapped: the parser's error quotes the file, secrets included.
		return nil, fmt.Errorf("line %d is not NAME=value", brokenLine(text))
	}
	known := Names()
	var problems []error
	for name := range env {
		if !slices.Contains(known, name) {
			problems = append(problems, unknownName(name, known))
		}
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(problems...)
	}
	return env, nil
}

// brokenLine returns the number of the line where parsing fails: the one after
// the longest beginning of the text that can be parsed.
func brokenLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	for good := len(lines) - 1; good > 0; good-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:good], "")); err == nil {
			return good + 1
		}
	}
	return 1
}

// unknownName reports a name that is not ours. It repeats the name only when it
// looks like one: a value on a line of its own may be half a secret.
func unknownName(name string, known []string) error {
	nearest := slices.MinFunc(known, func(a, b string) int {
		return distance(strings.ToUpper(name), a) - distance(strings.ToUpper(name), b)
	})
	if !regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,39}$`).MatchString(name) {
		return fmt.Errorf("a line does not begin with the name of a variable; did you mean %s?", nearest)
	}
	return fmt.Errorf("unknown variable %s; did you mean %s?", name, nearest)
}

// distance is the Levenshtein distance of two strings in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
