// The plainest heart service: net/http, everything in memory, one map of targets and one of token buckets.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	tokenLimit      = 100.0
	tokensPerSecond = 10.0
)

type heart struct {
	Target string `json:"target_id"`
	User   string `json:"user_id"`
}

type receipt struct {
	ID string `json:"id"`
	heart
	Count     int64  `json:"count"`
	Timestamp string `json:"timestamp"`
}

// lovers of one target, counted apart so that nobody walks the map.
type lovers struct {
	users sync.Map
	count int64
}

func (l *lovers) add(user, id string) int64 {
	if _, known := l.users.LoadOrStore(user, id); known {
		return atomic.LoadInt64(&l.count)
	}
	return atomic.AddInt64(&l.count, 1)
}

type tokenBucket struct {
	sync.Mutex
	tokens   float64
	filledAt time.Time
}

func (b *tokenBucket) take(now time.Time) bool {
	b.Lock()
	defer b.Unlock()
	b.tokens += tokensPerSecond * now.Sub(b.filledAt).Seconds()
	if b.tokens > tokenLimit {
		b.tokens = tokenLimit
	}
	b.filledAt = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

type service struct {
	targets, buckets sync.Map
	lastID           int64
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var given heart
	if json.NewDecoder(r.Body).Decode(&given) != nil || given.Target == "" || given.User == "" {
		http.Error(w, "target_id and user_id are required", http.StatusBadRequest)
		return
	}
	now := time.Now()
	bucket, _ := s.buckets.LoadOrStore(given.User, &tokenBucket{tokens: tokenLimit, filledAt: now})
	if !bucket.(*tokenBucket).take(now) {
		http.Error(w, "too many hearts", http.StatusTooManyRequests)
		return
	}
	target, _ := s.targets.LoadOrStore(given.Target, &lovers{})
	id := "h" + strconv.FormatInt(atomic.AddInt64(&s.lastID, 1), 10)
	answer := receipt{
		ID:        id,
		heart:     given,
		Count:     target.(*lovers).add(given.User, id),
		Timestamp: now.UTC().Format(time.RFC3339),
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:18083", "address and port")
	flag.Parse()
	http.Handle("/api/v1/hearts", &service{})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
