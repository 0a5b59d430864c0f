using HeartGrains.Audit;
using HeartGrains.Hosting;
using HeartGrains.Jobs;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace HeartGrains.Tests.Audit;

/// <summary>A log whose seals were taken away is not sealed anew by whoever saw them, neither now nor after a start.</summary>
public abstract class LogSealerTests(DriftingStore store) : IDisposable
{
    private readonly HeartSilo _silo = store.Silo;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-test-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("delete from heart_seal")]
    [InlineData("update heart_seal set hash = mac where number = (select max(number) from heart_seal)")]
    public async Task Sealer_SealsTakenAndLogChanged_SealsNoMoreAndTells(string sql)
    {
        var target = _silo.Keys.OfTarget("post");
        await _silo.Target("post").GiveAsync($"ann {sql}");
        await using var sealer = Start();
        await sealer.RoundAsync();
        var seen = sealer.Head.Last.ShouldNotBeNull();
        (await VerifyAsync(sealer)).ShouldBe("true");
        await _silo.Target("post").GiveAsync($"ben {sql}");
        await HeartSilo.UntilAsync(() => Task.FromResult(sealer.Head.Last != seen));
        await sealer.DisposeAsync();
        seen = sealer.Head.Last!;

        await store.RunAsync(sql, target);
        await store.RunAsync("update heart_event set actor = 'key:forger' where target = $target and version = 1", target);
        var left = await SealsAsync();
        await _silo.Target("post").GiveAsync($"cid {sql}");

        // It starts anew with nothing but the file.
        await using var next = Start();
        await next.RoundAsync();
        await next.RoundAsync();

        (await SealsAsync()).ShouldBe(left);
        next.Head.Last.ShouldBeEquivalentTo(seen);
        (await VerifyAsync(next)).ShouldBe($"false chain {seen.Number}");

        // Who knows that it is another log takes the file away.
        await next.DisposeAsync();
        next.Head.File.ShouldNotBeNull();
        File.Delete(next.Head.File);
        await using var anew = Start();
        await HeartSilo.UntilAsync(async () => await _silo.Get<ISealStore>().FindUnsealedAsync(Cancellation) is null);
        (await SealsAsync()).ShouldBeGreaterThan(left);
    }

    [Fact]
    public async Task Sealer_SealsTakenWhileItRuns_SealsNoMore()
    {
        await _silo.Target("running").GiveAsync("ann");
        await using var sealer = Start();
        await sealer.RoundAsync();

        await store.RunAsync("delete from heart_seal", Guid.Empty);
        await _silo.Target("running").GiveAsync("ben");
        await sealer.RoundAsync();
        var left = await SealsAsync();
        foreach (var user in (string[])["cid", "dan"])
        {
            await _silo.Target("running").GiveAsync(user);
            await sealer.RoundAsync();
        }

        // One round may have been between its look and its work.
        left.ShouldBeLessThanOrEqualTo(1);
        (await SealsAsync()).ShouldBe(left);
        (await VerifyAsync(sealer)).ShouldStartWith("false chain");
    }

    [Fact]
    public async Task Sealer_AnotherSealsToo_GoesOn()
    {
        await using var one = Start();
        await using var other = Start("other.head");
        for (var heart = 0; heart < 20; heart++)
        {
            await _silo.Target("both").GiveAsync($"u{heart}");
            await one.RoundAsync();
            await other.RoundAsync();
        }

        await HeartSilo.UntilAsync(async () => await _silo.Get<ISealStore>().FindUnsealedAsync(Cancellation) is null);
        await one.RoundAsync();
        await other.RoundAsync();
        one.Head.Last.ShouldBeEquivalentTo(other.Head.Last);
        one.Head.Last!.Number.ShouldBe((await _silo.Get<ISealStore>().FindLastSealAsync(Cancellation))!.Number);
    }

    private async Task<int> SealsAsync() => (await _silo.Get<ISealStore>().ReadSealsAsync(1, 1_000, Cancellation)).Count;

    private async Task<string> VerifyAsync(RunningSealer sealer)
    {
        var work = ActivatorUtilities.CreateInstance<VerifyWork>(_silo.Services, sealer.Verifier);
        var page = await work.RunPageAsync(Job.Of(new JobOrder(VerifyJob.Kind, "all", "{}", "key:op"), "subject", 1), Cancellation);
        var progress = System.Text.Json.JsonDocument.Parse(page.Progress).RootElement;
        return progress.GetProperty("agrees").GetBoolean() ? "true"
            : "false " + string.Join(',', progress.GetProperty("findings").EnumerateArray().Take(1).Select(static finding => $"{finding.GetProperty("kind")} {finding.GetProperty("block")}"));
    }

    private RunningSealer Start(string file = "heart.head") => new(_silo, Path.Combine(_folder.FullName, file));

    private sealed class RunningSealer : IAsyncDisposable
    {
        private readonly LogSealer _sealer;
        private int _rounds;

        public RunningSealer(HeartSilo silo, string file)
        {
            var options = Options.Create(new AuditOptions { SealPeriod = TimeSpan.FromMilliseconds(10), HeadFile = file });
            Head = new KeptHead(new HostSettings { Mode = HostMode.Cluster }, options, NullLogger<KeptHead>.Instance);
            Verifier = ActivatorUtilities.CreateInstance<Verifier>(silo.Services, Head);
            var seals = Interposed.Before<ISealStore>(silo.Get<ISealStore>(), (method, _) =>
            {
                if (method == nameof(ISealStore.FindUnsealedAsync)) Interlocked.Increment(ref _rounds);
            });
            _sealer = ActivatorUtilities.CreateInstance<LogSealer>(silo.Services, seals, Verifier, Head, options, TimeProvider.System);
            _ = _sealer.StartAsync(CancellationToken.None);
        }

        public KeptHead Head { get; }

        public Verifier Verifier { get; }

        /// <summary>Ends when a round that begins from now on has ended.</summary>
        public Task RoundAsync()
        {
            var two = Volatile.Read(ref _rounds) + 2;
            return HeartSilo.UntilAsync(() => Task.FromResult(Volatile.Read(ref _rounds) >= two));
        }

        public async ValueTask DisposeAsync()
        {
            await _sealer.StopAsync(CancellationToken.None);
            _sealer.Dispose();
        }
    }
}

public sealed class SqliteLogSealerTests(SqliteDrift store) : LogSealerTests(store), IClassFixture<SqliteDrift>;

public sealed class PostgresLogSealerTests(PostgresDrift store) : LogSealerTests(store), IClassFixture<PostgresDrift>
{
    private readonly PostgresDrift _store = store;

    [Fact]
    public async Task Sealer_SiloThatStartsBesideOneThatSawTheSeals_SealsNoMoreAndTells()
    {
        await _store.Silo.Target("post").GiveAsync("ann");
        await using var saw = await StartSiloAsync();

        // All that tests before it gave, too: nothing is left to be sealed.
        var seals = _store.Silo.Get<ISealStore>();
        await HeartSilo.UntilAsync(async () =>
            await seals.FindUnsealedAsync(TestContext.Current.CancellationToken) is null
            && await seals.FindLastSealAsync(TestContext.Current.CancellationToken) is { } last && last.Number == saw.Get<KeptHead>().Last?.Number);
        var seen = saw.Get<KeptHead>().Last!;

        await _store.RunAsync("delete from heart_seal", Guid.Empty);
        await using var started = await StartSiloAsync();
        await HeartSilo.UntilAsync(() => Task.FromResult(started.Get<KeptHead>().Last is not null));
        await _store.Silo.Target("post").GiveAsync("ben");

        started.Get<KeptHead>().Last.ShouldBeEquivalentTo(seen);
        (await _store.Silo.Get<ISealStore>().FindLastSealAsync(TestContext.Current.CancellationToken)).ShouldBeNull();

        // Also by a silo that has seen none itself.
        (await _store.Silo.Get<Verifier>().CheckSeenAnywhereAsync(TestContext.Current.CancellationToken))!.Text.ShouldBe($"the chain does not reach block {seen.Number}, which another silo saw");
        var answer = await _store.Silo.Grains.GetGrain<IVerifyGrain>("post").VerifyAsync(false, new("key:op"), TestContext.Current.CancellationToken);
        answer.Report!.Left.ShouldContain(static finding => finding.Kind == FindingKinds.Chain);
    }

    private Task<HeartSilo> StartSiloAsync() => HeartSilo.StartAsync(_store.Store, _store.Silo, null, ("Audit:SealPeriod", "00:00:00.010"));
}

/// <summary>The file of the head.</summary>
public sealed class KeptHeadTests
{
    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("7 abcd")]
    [InlineData("-7 0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("7 000000000000000000000000000000000000000000000000000000000000000g")]
    public void KeptHead_FileHoldsSomethingElse_DoesNotStart(string text)
    {
        using var file = new TempFile();
        File.WriteAllText(file.Path, text);

        Should.Throw<StartException>(() => Open(file.Path)).Message.ShouldContain("HeartGrains:Audit:HeadFile");
    }

    [Fact]
    public void Keep_Seals_HoldsTheLatestForItsOwnerAlone()
    {
        using var file = new TempFile();
        var head = Open(file.Path);
        head.Last.ShouldBeNull();

        head.Keep(Seal(2));
        head.Keep(Seal(1));

        Open(file.Path).Last.ShouldBeEquivalentTo(new SealHead(2, Seal(2).Hash));
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(file.Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void KeptHead_FolderThatIsNotThereOrInItsPlace_DoesNotStart()
    {
        using var file = new TempFile();

        Should.Throw<StartException>(() => Open(Path.Combine(file.Path, "in a folder that is not there"))).Message.ShouldContain("HeartGrains:Audit:HeadFile");
        Should.Throw<StartException>(() => Open(Path.GetDirectoryName(file.Path)!)).Message.ShouldContain("is a folder");
    }

    [Fact]
    public void Keep_FileCannotBeWritten_KeepsItInMemory()
    {
        using var file = new TempFile();
        var head = Open(file.Path);
        Directory.CreateDirectory(file.Path);

        head.Keep(Seal(3));

        head.Last!.Number.ShouldBe(3);
    }

    private static KeptHead Open(string path) => new(new HostSettings { Mode = HostMode.Cluster }, Options.Create(new AuditOptions { HeadFile = path }), NullLogger<KeptHead>.Instance);

    private static SealHead Seal(long number) => new(number, [.. Enumerable.Repeat((byte)number, EventChain.HashBytes)]);

    private sealed class TempFile : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-test-");

        public string Path => System.IO.Path.Combine(_folder.FullName, "heart.head");

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
