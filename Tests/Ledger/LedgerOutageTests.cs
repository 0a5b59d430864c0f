using HeartGrains.Hearts;
using HeartGrains.Resilience;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Npgsql;

namespace HeartGrains.Tests.Ledger;

/// <summary>
/// A silo whose PostgreSQL is in trouble: hearts are refused without being queued for it, active grains are read on, and when it is well hearts flow within five seconds,
/// with nothing lost.
/// </summary>
public sealed class LedgerOutageTests : IAsyncLifetime
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan FlowsAgainWithin = TimeSpan.FromSeconds(5);

    private readonly LocalPostgres _postgres = new() { Settings = ["max_connections=30", "autovacuum=off"] };
    private HeartStore _store = null!;
    private HeartSilo _silo = null!;
    private int _users;
    private int _committed;
    private int _unknown;

    public async ValueTask InitializeAsync()
    {
        _store = await HeartStore.PostgresAsync(_postgres);
        _silo = await HeartSilo.StartAsync(
            _store, ("Ledger:AppendDeadline", "00:00:02"), ("Ledger:StallTime", "00:00:01"), ("Ledger:CommandTimeout", "00:00:02"), ("Breakers:Ledger:MinimumCalls", $"{new BreakersOptions().Ledger.MinimumCalls}"));
        (await GiveAsync()).ShouldBe(HeartOutcome.Committed);
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _store.Dispose();
        await _postgres.DisposeAsync();
    }

    public static TheoryData<string> Troubles => ["stopped", "hangs", "slow", "no connection left", "read-only", "disk full"];

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task Give_PostgresInTrouble_IsRefusedAtOnceReadsGoOnAndHeartsFlowSoonAfter(string trouble)
    {
        var heal = await BringAboutAsync(trouble);
        await HeartSilo.UntilAsync(async () =>
        {
            await GiveAsync();
            return _silo.Breaker.Look().State == BreakerState.Open;
        });

        // While it is open nothing goes to the ledger; one call may, when a break is over.
        var (refused, asked) = (0, 0);
        _silo.Ledger.OnAppend = (_, append) =>
        {
            Interlocked.Increment(ref asked);
            return append();
        };
        var times = new List<TimeSpan>();
        while (refused < 200)
        {
            var started = TimeProvider.System.GetTimestamp();
            if (await GiveAsync() == HeartOutcome.LedgerUnavailable) refused++;
            times.Add(TimeProvider.System.GetElapsedTime(started));
            (await _silo.Target("t").ReadAsync()).Outcome.ShouldBe(HeartOutcome.Committed);
        }

        asked.ShouldBeLessThan(20);
        times.Order().ElementAt(times.Count / 2).ShouldBeLessThan(AtOnce);

        await heal();
        var healed = TimeProvider.System.GetTimestamp();
        await HeartSilo.UntilAsync(async () => await GiveAsync() == HeartOutcome.Committed);
        var took = TimeProvider.System.GetElapsedTime(healed);
        TestContext.Current.TestOutputHelper?.WriteLine($"{trouble}: refused {refused}, {asked} asked the ledger; well again after {took.TotalSeconds:0.00} s");
        took.ShouldBeLessThan(FlowsAgainWithin);

        await HeartSilo.UntilAsync(async () => (await _silo.Target("t").ReadAsync()).Outcome == HeartOutcome.Committed);
        var state = await _silo.Target("t").ReadAsync();
        state.Count.ShouldBeInRange(_committed, _committed + _unknown);
        await _silo.ForgetAsync("t");
        (await _silo.Target("t").ReadAsync()).Count.ShouldBe(state.Count);
    }

    private async Task<HeartOutcome> GiveAsync()
    {
        var outcome = (await _silo.Target("t").GiveAsync($"user {++_users}")).Outcome;
        if (outcome == HeartOutcome.Committed) _committed++;
        if (outcome == HeartOutcome.Unknown) _unknown++;
        return outcome;
    }

    /// <summary>Returns what ends it.</summary>
    private async Task<Func<Task>> BringAboutAsync(string trouble)
    {
        switch (trouble)
        {
            case "stopped":
                await _postgres.StopAsync();
                return _postgres.StartAsync;
            case "hangs":
                await _postgres.SuspendAsync();
                return _postgres.ResumeAsync;
            case "slow":
                await RunAsync("create function drag() returns trigger language plpgsql as 'begin perform pg_sleep(1); return null; end'");
                await RunAsync("create trigger drag after insert on heart_event for each statement execute function drag()");
                return () => RunAsync("drop trigger drag on heart_event");
            case "no connection left":
                return await TakeAllConnectionsAsync();
            case "read-only":
                await RunAsync("alter system set default_transaction_read_only = on", "select pg_reload_conf()");
                return () => RunAsync("set default_transaction_read_only = off", "alter system reset default_transaction_read_only", "select pg_reload_conf()");
            default:
                return await FillDiskAsync();
        }
    }

    private async Task<Func<Task>> TakeAllConnectionsAsync()
    {
        var taken = new List<NpgsqlConnection>();
        while (true)
        {
            var connection = new NpgsqlConnection(_store.Postgres + ";Pooling=false");
            try
            {
                await connection.OpenAsync();
                taken.Add(connection);
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                // Those that are left are the silo's: taken from it until it has none.
                await using var others = new NpgsqlCommand("select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'client backend' and application_name <> 'taken'", taken[0]);
                if ((long)(await others.ExecuteScalarAsync())! == 0) break;
                continue;
            }

            await using var name = new NpgsqlCommand("set application_name = 'taken'", connection);
            await name.ExecuteNonQueryAsync();
        }

        return async () =>
        {
            foreach (var connection in taken) await connection.DisposeAsync();
        };
    }

    /// <summary>Moves the log to a small file system of its own, and fills that.</summary>
    private async Task<Func<Task>> FillDiskAsync()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can mount a small file system.");
        var folder = await _postgres.MountSmallDiskAsync(megabytes: 8);
        await RunAsync($"create tablespace small location '{folder}'");
        await RunAsync("alter table heart_event set tablespace small");
        await RunAsync("create table filler (text text) tablespace small", "alter table filler alter text set storage plain");
        try
        {
            while (true) await RunAsync("insert into filler select repeat('x', 7000) from generate_series(1, 20)");
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.DiskFull)
        {
        }

        return () => RunAsync("drop table filler");
    }

    /// <summary>Runs statements one by one on a connection of their own.</summary>
    private async Task RunAsync(params string[] statements)
    {
        await using var connection = new NpgsqlConnection(_store.Postgres + ";Pooling=false");
        await connection.OpenAsync();
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
