using HeartGrains.Ledger;
using HeartGrains.Ledger.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.Tests.Ledger;

public sealed class SqliteLedgerTests : LastingLedgerTests
{
    private DirectoryInfo _folder = null!;

    [Fact]
    public async Task AppendAsync_AnotherProcessHoldsTheFile_IsRefusedAndWorksAfterwards()
    {
        var story = new Story("post_1");
        await using var other = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await other.OpenAsync(Cancellation);
        await using (var transaction = other.BeginTransaction())
            (await Ledger.AppendAsync(story.GiveMany("ann"))).ShouldBe(AppendOutcome.Refused);

        await AppendAsync([.. story.Log]);
    }

    protected override IHeartLedger OpenLedger() => new SqliteLedger(_folder.FullName, new LedgerOptions(), NullLogger<SqliteLedger>.Instance);

    protected override async Task<bool> HasUnfoldedAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "select exists (select 1 from heart_event e, heart_fold f where e.seq > f.seq)";
        return await command.ExecuteScalarAsync(Cancellation) is 1L;
    }

    protected override Task PrepareStoreAsync()
    {
        _folder = Directory.CreateTempSubdirectory("heartgrains-test-");
        return Task.CompletedTask;
    }

    protected override Task RemoveStoreAsync()
    {
        _folder.Delete(recursive: true);
        return Task.CompletedTask;
    }
}
