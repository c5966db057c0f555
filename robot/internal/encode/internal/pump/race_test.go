//go:build race

package pump_test

// raceEnabled is set because sync.Pool drops items at random under the race
// detector.
const raceEnabled = true
