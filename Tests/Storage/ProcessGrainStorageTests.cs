using HeartGrains.Storage;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace HeartGrains.Tests.Storage;

public class ProcessGrainStorageTests
{
    private readonly ProcessGrainStorage _storage = new();
    private readonly GrainId _grain = GrainId.Create("ratelimit", "u:ann");

    [Fact]
    public async Task WriteReadClear_OneAfterTheOther_RoundTrip()
    {
        var state = await ReadAsync();
        (state.RecordExists, state.ETag, state.State!.Text).ShouldBe((false, null, ""));

        state.State = new Note { Text = "first" };
        await _storage.WriteStateAsync("note", _grain, state);
        var read = await ReadAsync();
        (read.RecordExists, read.ETag, read.State!.Text).ShouldBe((true, state.ETag, "first"));
        (await ReadAsync("another")).RecordExists.ShouldBeFalse();

        await _storage.ClearStateAsync("note", _grain, read);
        (read.RecordExists, read.ETag, read.State!.Text).ShouldBe((false, null, ""));
        (await ReadAsync()).RecordExists.ShouldBeFalse();
    }

    [Fact]
    public async Task Write_ChangedSinceItWasRead_IsAnInconsistentState()
    {
        var (early, late, first) = (await ReadAsync(), await ReadAsync(), await ReadAsync());
        await _storage.WriteStateAsync("note", _grain, first);

        await Should.ThrowAsync<InconsistentStateException>(() => _storage.WriteStateAsync("note", _grain, early));

        var old = await ReadAsync();
        await _storage.WriteStateAsync("note", _grain, first);
        await Should.ThrowAsync<InconsistentStateException>(() => _storage.WriteStateAsync("note", _grain, old));
        await Should.ThrowAsync<InconsistentStateException>(() => _storage.ClearStateAsync("note", _grain, old));

        // Cleared and written anew: what was read before is of another life.
        await _storage.ClearStateAsync("note", _grain, await ReadAsync());
        await _storage.WriteStateAsync("note", _grain, late);
        await Should.ThrowAsync<InconsistentStateException>(() => _storage.WriteStateAsync("note", _grain, first));
    }

    private async Task<GrainState<Note>> ReadAsync(string name = "note")
    {
        var state = new GrainState<Note>();
        await _storage.ReadStateAsync(name, _grain, state);
        return state;
    }

    private sealed class Note
    {
        public string Text { get; init; } = "";
    }
}
