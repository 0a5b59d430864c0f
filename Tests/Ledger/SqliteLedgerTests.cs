using HeartGrains.Ledger;
using HeartGrains.Ledger.Sqlite;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Tests.Ledger;

public sealed class SqliteLedgerTests : LastingLedgerTests
{
    private DirectoryInfo _folder = null!;

    [Fact]
    public async Task FoldAsync_AndAfterwards_AppendsStillWaitForTheDisk()
    {
        await AppendAsync(new Story("post_1").Give("ann"));
        await FoldAllAsync();

        (await Ledger.FoldAsync(1, Cancellation)).ShouldBe(0);
        await using var other = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await other.OpenAsync(Cancellation);
        await using var command = other.CreateCommand();
        command.CommandText = "pragma journal_mode";
        (await command.ExecuteScalarAsync(Cancellation)).ShouldBe("wal");
    }

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

    protected override IHeartLedger OpenLedger() => new SqliteLedger(_folder.FullName, new LedgerOptions());

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
