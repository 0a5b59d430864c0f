using HeartGrains.Ledger;
using HeartGrains.Ledger.Sqlite;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Ledger;

public sealed class FullDiskTests : IDisposable
{
    private readonly SmallDisk? _disk = SmallDisk.TryMount(megabytes: 2);
    private readonly LogLines _log = new();
    private int _stories;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AppendAsync_DiskFull_IsRefusedAndToldOnceAndNotReadyUntilThereIsRoom()
    {
        Assert.SkipWhen(_disk is null, "A disk of this size needs the right to mount it.");
        using var loggers = new LoggerFactory([_log]);
        using (var ledger = await OpenAsync(loggers))
        {
            while (await AppendAsync(ledger) == AppendOutcome.Committed)
                await ledger.CheckAsync(Cancellation);

            for (var i = 0; i < 3; i++) (await AppendAsync(ledger)).ShouldBe(AppendOutcome.Refused);
            _log.Lines.ShouldHaveSingleItem().ShouldContain("SQLite error 13, database or disk is full");
            (await Should.ThrowAsync<LedgerException>(() => ledger.CheckAsync(Cancellation).AsTask())).Message.ShouldContain("full");

            _disk.Grow(megabytes: 8);
            await ledger.CheckAsync(Cancellation);
            (await AppendAsync(ledger)).ShouldBe(AppendOutcome.Committed);
        }

        // What was refused is not there after a restart either.
        using var reopened = await OpenAsync(loggers);
        for (var i = 1; i <= _stories; i++)
            (await reopened.LoadAsync(new Story($"t{i}").Target, 1, Cancellation)).Tail.Count.ShouldBe(i < _stories - 4 || i == _stories ? 1 : 0, $"t{i}");
    }

    public void Dispose() => _disk?.Dispose();

    private ValueTask<AppendOutcome> AppendAsync(SqliteLedger ledger) => ledger.AppendAsync(new[] { new Story($"t{++_stories}").Give("ann") });

    private async Task<SqliteLedger> OpenAsync(LoggerFactory loggers)
    {
        var ledger = new SqliteLedger(_disk!.Folder, new LedgerOptions(), loggers.CreateLogger<SqliteLedger>());
        await ledger.InitializeAsync("fingerprint-of-the-key", Cancellation);
        return ledger;
    }
}
