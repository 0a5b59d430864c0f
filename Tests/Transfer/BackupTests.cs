using System.Diagnostics;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Transfer;
using Npgsql;

namespace HeartGrains.Tests.Transfer;

/// <summary>What <c>docs/backup.md</c> tells: a backup is made while hearts are given, brought back elsewhere, and goes on there.</summary>
public abstract class BackupTests : IAsyncLifetime
{
    private HeartStore _source = null!;
    private HeartSilo _silo = null!;

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract Task<HeartStore> OpenStoreAsync();

    /// <summary>Makes a backup of a store that is written, and returns where it was brought back.</summary>
    private protected abstract Task<HeartStore> BackUpAndRestoreAsync(HeartStore source);

    public async ValueTask InitializeAsync()
    {
        _source = await OpenStoreAsync();
        _silo = await StartAsync(_source);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _source.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Backup_HeartsAreGivenMeanwhile_KeepsAllFromBeforeAndGoesOn()
    {
        var given = new List<(string Target, string User)>();
        using var stop = new CancellationTokenSource();
        var giving = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var (target, user) = ($"post {i % 7}", $"u{i}");
                if ((await _silo.Target(target).GiveUntilAsync(user, CancellationToken.None)).Outcome != HeartOutcome.Committed) continue;
                lock (given) given.Add((target, user));
            }
        }, Cancellation);
        await HeartSilo.UntilAsync(() => Task.FromResult(Given().Length >= 300));
        await HeartSilo.UntilAsync(async () => await _silo.Get<ISealStore>().FindLastSealAsync(Cancellation) is not null);
        var cursor = (await ReadFeedAsync(_silo, EventPosition.Start))[^1].Position;
        var before = Given();

        using var restored = await BackUpAndRestoreAsync(_source);
        await stop.CancelAsync();
        await giving;

        await using var silo = await StartAsync(restored);
        foreach (var (target, user) in before) (await silo.Target(target).ReadAsync(user)).Hearted.ShouldBe(true, $"{user} of {target}");
        await ShouldAgreeAsync(silo);
        (await silo.Target("post 1").GiveAsync("late")).Outcome.ShouldBe(HeartOutcome.Committed);
        await HeartSilo.UntilAsync(async () => (await silo.Ledger.LoadAsync(silo.Keys.OfTarget("post 1"), 10, Cancellation)).Tail.Count == 0);
        await HeartSilo.UntilAsync(async () => (await ReadFeedAsync(silo, cursor)).LastOrDefault()?.UserId == "late");
        await ShouldAgreeAsync(silo);

        (string Target, string User)[] Given()
        {
            lock (given) return [.. given];
        }
    }

    private static async Task ShouldAgreeAsync(HeartSilo silo)
    {
        var verifier = silo.Get<Verifier>();
        for (ChainReport? report = null; report is not { Blocks: 0 };)
        {
            report = await verifier.VerifyBlocksAsync((report?.Last ?? 0) + 1, 1000, Cancellation);
            report.Findings.ShouldBeEmpty();
        }

        foreach (var target in await silo.Get<IAuditStore>().ListTargetsAsync(Guid.Empty, 1000, Cancellation))
            (await verifier.VerifyTargetAsync(target, null, null, Cancellation)).Findings.ShouldBeEmpty();
    }

    /// <summary>What the feed tells behind a place, all of it.</summary>
    private static async Task<List<FeedEvent>> ReadFeedAsync(HeartSilo silo, EventPosition after)
    {
        var told = new List<FeedEvent>();
        for (var more = true; more;)
        {
            var page = await silo.Grains.GetGrain<IEventListGrain>(0).ReadAsync(new EventRequest(after, 1000, null, null), Cancellation);
            told.AddRange(page.Events);
            more = page.HasMore;
            if (told.Count > 0) after = told[^1].Position;
        }

        return told;
    }

    private static Task<HeartSilo> StartAsync(HeartStore store) => HeartSilo.StartAsync(
        store, ("Ledger:FoldPeriod", "00:00:00.050"), ("Audit:SealPeriod", "00:00:00.020"));
}

public sealed class SqliteBackupTests : BackupTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());

    private protected override async Task<HeartStore> BackUpAndRestoreAsync(HeartStore source)
    {
        var elsewhere = HeartStore.Sqlite();
        await File.WriteAllTextAsync(Path.Combine(source.Data, "heart.key"), "a key that only tests know", Cancellation);
        var told = await Commands.RunAsync(HeartsCommand.Backup, "--mode=single", $"--data={source.Data}", "--to", elsewhere.Data);
        told.ShouldEndWith("hearts.db and heart.key.\n");
        Directory.GetFiles(elsewhere.Data).Select(Path.GetFileName).Order().ShouldBe(["heart.key", "hearts.db"]);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Path.Combine(elsewhere.Data, "hearts.db")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await File.ReadAllTextAsync(Path.Combine(elsewhere.Data, "heart.key"), Cancellation)).ShouldBe("a key that only tests know");
        return elsewhere;
    }
}

public sealed class PostgresBackupTests(LocalPostgres postgres) : BackupTests
{
    private readonly LocalPostgres _elsewhere = new();

    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(postgres);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _elsewhere.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Into a server whose transaction ids begin anew.</summary>
    private protected override async Task<HeartStore> BackUpAndRestoreAsync(HeartStore source)
    {
        var dump = Path.GetTempFileName();
        var restored = await HeartStore.PostgresAsync(_elsewhere);
        await RunAsync("pg_dump", "--format=custom", $"--file={dump}", $"--dbname={UrlOf(source.Postgres)}");
        await RunAsync("pg_restore", "--exit-on-error", $"--dbname={UrlOf(restored.Postgres)}", dump);
        File.Delete(dump);
        return restored;
    }

    private static string UrlOf(string connection)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection);
        return $"postgresql://{settings.Username}@{settings.Host}:{settings.Port}/{settings.Database}";
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0, await errors);
    }
}
