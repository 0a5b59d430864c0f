using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Hearts;

/// <summary>What an answer says about its heart; the surest first.</summary>
public enum HeartFate : byte
{
    /// <summary>201: committed, and new.</summary>
    Created = 0,

    /// <summary>Another 2xx: committed, by this call or an earlier one.</summary>
    Repeated = 1,

    /// <summary>504, any other 5xx, a broken connection, a timeout: may have been committed.</summary>
    Unknown = 2,

    /// <summary>4xx, 429, 503, or never sent: definitely not committed.</summary>
    Refused = 3,
}

/// <summary>One request of a history.</summary>
public readonly record struct HeartAttempt(int Target, long User, HeartFate Fate)
{
    /// <summary>What <paramref name="answer"/> says about its heart.</summary>
    public static HeartFate FateOf(in HttpAnswer answer) => answer switch
    {
        { Exchange: HttpExchange.NotConnected } => HeartFate.Refused,
        { Exchange: not HttpExchange.Answered } => HeartFate.Unknown,
        { Status: 201 } => HeartFate.Created,
        { Status: >= 200 and < 300 } => HeartFate.Repeated,
        { Status: 503 or (>= 400 and < 500) } => HeartFate.Refused,
        _ => HeartFate.Unknown,
    };

    /// <summary>The attempt in 64 bits that sort by user, target, fate.</summary>
    internal ulong Pack() => ((ulong)User << 26) | ((ulong)(uint)Target << 2) | (ulong)Fate;

    internal static HeartAttempt Unpack(ulong packed) =>
        new((int)(packed >> 2) & 0xFFFFFF, (long)(packed >> 26), (HeartFate)(packed & 3));
}

/// <summary>
/// What a run asked for and what became of it: 8 bytes a request, up to a limit. Each connection writes pages of its own.
/// </summary>
public sealed class HeartHistory(HeartNames names, int targets, int limit)
{
    private const int PageLength = 1024;
    private readonly Lock _lock = new();
    private readonly List<Page> _pages = [];

    /// <summary>The ids that the run used.</summary>
    public HeartNames Names => names;

    /// <summary>How many targets the run had.</summary>
    public int Targets => targets;

    /// <summary>A page to write to, or null when the history is full.</summary>
    internal Page? TakePage()
    {
        lock (_lock)
        {
            if ((long)_pages.Count * PageLength >= limit) return null;
            _pages.Add(new Page());
            return _pages[^1];
        }
    }

    /// <summary>
    /// The attempts, packed and sorted by user, target and fate. Call it when the load has ended.
    /// </summary>
    internal ulong[] ToSorted()
    {
        lock (_lock)
        {
            var all = new ulong[_pages.Sum(page => page.Count)];
            var at = 0;
            foreach (var page in _pages)
            {
                page.Attempts.AsSpan(0, page.Count).CopyTo(all.AsSpan(at));
                at += page.Count;
            }
            Array.Sort(all);
            return all;
        }
    }

    internal sealed class Page
    {
        public ulong[] Attempts { get; } = new ulong[PageLength];

        public int Count { get; private set; }

        public bool IsFull => Count == Attempts.Length;

        public void Add(in HeartAttempt attempt) => Attempts[Count++] = attempt.Pack();
    }
}
