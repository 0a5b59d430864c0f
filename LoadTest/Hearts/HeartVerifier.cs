using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Hearts;

/// <summary>
/// Checks a history against the API, at rest and with nobody else writing to the run's targets: every acknowledged heart is
/// there, no heart that was only refused is, and each target counts exactly the users who are there.
/// </summary>
/// <remarks>
/// A heart with an unknown answer may be there or not, and may even arrive while the check runs. As nothing is withdrawn, hearts
/// only appear: a count lies between the users seen before it was read and those seen after.
/// </remarks>
public sealed class HeartVerifier
{
    private readonly HeartVerifyOptions _options;
    private readonly HeartHistory _history;
    private readonly HeartExpectations _expected;
    private readonly IProgress<HeartVerifyProgress>? _progress;
    private readonly int[] _unknownBefore;
    private readonly int[] _unknownAfter;
    private readonly Lock _lock = new();
    private readonly List<HeartViolation> _violations = [];
    private long _violationCount;
    private long _checked;

    private HeartVerifier(HeartHistory history, HeartVerifyOptions options, IProgress<HeartVerifyProgress>? progress)
    {
        _history = history;
        _options = options;
        _progress = progress;
        _unknownBefore = new int[history.Targets];
        _unknownAfter = new int[history.Targets];
        _expected = new(history, heart => Violated(HeartViolationKind.CreatedTwice, heart.Target, heart.User, "201 was answered more than once"));
    }

    /// <summary>Checks <paramref name="history"/>. The load must have ended.</summary>
    public static async Task<HeartVerifyReport> VerifyAsync(
        HeartHistory history, HeartVerifyOptions options, IProgress<HeartVerifyProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var started = TimeProvider.System.GetTimestamp();
        var verifier = new HeartVerifier(history, options, progress);
        await verifier.CheckAsync(cancellationToken);
        return verifier.Report(TimeProvider.System.GetElapsedTime(started));
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        var ready = await ReadyUrlsAsync(cancellationToken);
        if (ready.Count == 0)
        {
            Violated(HeartViolationKind.Unreadable, 0, null, $"no gateway could be read within {_options.Settle.TotalSeconds:0.#} s");
            return;
        }

        await ReadAsync(ready, _expected.Users(HeartReader.TargetsPerQuery, onlyUnknown: false), CheckHeart, cancellationToken);
        var counts = ready.ToDictionary(url => url, _ => new long?[_history.Targets]);
        foreach (var (url, counted) in counts)
            await ReadAsync([url], _expected.Targets(HeartReader.TargetsPerQuery), (heart, shown) => counted[heart.Target] = shown?.Count, cancellationToken);
        await ReadAsync(ready, _expected.Users(HeartReader.TargetsPerQuery, onlyUnknown: true), CountUnknown, cancellationToken);
        foreach (var (url, counted) in counts)
            for (var target = 0; target < counted.Length; target++)
                if (counted[target] is { } count)
                    CheckCount(url, target, count);
    }

    private async Task<IReadOnlyList<Uri>> ReadyUrlsAsync(CancellationToken cancellationToken)
    {
        var ready = new bool[_options.Urls.Count];
        await HttpConnections.RunAsync(_options.Urls, ready.Length, _options.RequestTimeout, async (connection, number) =>
        {
            var reading = await new HeartReader(connection, _history.Names, _options.Settle).ReadAsync(new(null, [default]), cancellationToken);
            ready[number] = reading.Problem is null;
        });
        return [.. _options.Urls.Where((_, number) => ready[number]).Distinct()];
    }

    /// <summary>Reads all groups in parallel; a heart that could not be read is a violation and shown as null.</summary>
    private async Task ReadAsync(
        IReadOnlyList<Uri> urls, IEnumerable<HeartGroup> groups, Action<HeartAttempt, ShownHeart?> check, CancellationToken cancellationToken)
    {
        using var waiting = groups.GetEnumerator();
        await HttpConnections.RunAsync(urls, Math.Max(_options.Connections, urls.Count), _options.RequestTimeout, async (connection, _) =>
        {
            var reader = new HeartReader(connection, _history.Names, _options.Patience);
            while (!cancellationToken.IsCancellationRequested && TryTake(waiting, out var group))
            {
                var reading = await reader.ReadAsync(group, cancellationToken);
                if (reading.Problem is { } problem) Violated(HeartViolationKind.Unreadable, group.Hearts[0].Target, group.User, $"{problem} ({connection.Url})");
                for (var i = 0; i < group.Hearts.Length; i++) check(group.Hearts[i], reading.Hearts?[i]);
            }
        }, () => _progress?.Report(new(Interlocked.Read(ref _checked), _expected.Fates.Sum())));
        cancellationToken.ThrowIfCancellationRequested();
    }

    private bool TryTake(IEnumerator<HeartGroup> waiting, out HeartGroup group)
    {
        lock (_lock)
        {
            var taken = waiting.MoveNext();
            group = taken ? waiting.Current : default;
            return taken;
        }
    }

    private void CheckHeart(HeartAttempt heart, ShownHeart? shown)
    {
        Interlocked.Increment(ref _checked);
        var hearted = shown?.Hearted;
        if (heart.Fate == HeartFate.Unknown && hearted == true) Interlocked.Increment(ref _unknownBefore[heart.Target]);
        if (heart.Fate <= HeartFate.Repeated && hearted == false)
            Violated(HeartViolationKind.Lost, heart.Target, heart.User, "acknowledged, and not there");
        if (heart.Fate == HeartFate.Refused && hearted == true)
            Violated(HeartViolationKind.StoredThoughRefused, heart.Target, heart.User, "refused every time, and there");
    }

    private void CountUnknown(HeartAttempt heart, ShownHeart? shown)
    {
        if (shown?.Hearted != false) Interlocked.Increment(ref _unknownAfter[heart.Target]);
    }

    private void CheckCount(Uri url, int target, long count)
    {
        var acknowledged = _expected.AcknowledgedUsers[target];
        var least = acknowledged + _unknownBefore[target];
        var most = acknowledged + _unknownAfter[target];
        var detail = $"{url} counts {count}; {acknowledged} users were acknowledged and {_unknownAfter[target]} more may be there";
        if (count < least) Violated(HeartViolationKind.CountTooLow, target, null, detail);
        if (count > most) Violated(HeartViolationKind.CountTooHigh, target, null, detail);
    }

    private void Violated(HeartViolationKind kind, int target, long? user, string detail)
    {
        lock (_lock)
        {
            if (++_violationCount > HeartVerifyReport.ViolationsKept) return;
            _violations.Add(new(kind, _history.Names.Target(target), user is { } id ? _history.Names.User(id) : null, detail));
        }
    }

    private HeartVerifyReport Report(TimeSpan elapsed) => new()
    {
        Acknowledged = _expected.Fates[(int)HeartFate.Created] + _expected.Fates[(int)HeartFate.Repeated],
        Refused = _expected.Fates[(int)HeartFate.Refused],
        Unknown = _expected.Fates[(int)HeartFate.Unknown],
        UnknownStored = _unknownBefore.Sum(count => (long)count),
        Targets = _expected.Touched.LongCount(touched => touched),
        Elapsed = elapsed,
        ViolationCount = _violationCount,
        Violations = _violations,
    };
}
