using System.Net;
using System.Text.Json;

namespace HeartGrains.Tests.Gateway;

[Collection(GatewayCollection.Name)]
public sealed class IdentifierTests(GatewayServer server)
{
    private static readonly string[] Strange =
    [
        "https://example.org/a/b?c=d&e=f#g", "https://example.org/a%2Fb", "https://example.org/a/b", "https://example.org//a/b", "https://example.org/x/../a/b",
        "a+b", "a b", "a%20b", "a%b", "%", "&", "#", "?", "=", " ", "  ", "/", "//", "..", ".", "\"", "\\", "'", "<script>", "{}", "[]", "null",
        "é", "e\u0301", "♥", "😀", "👨‍👩‍👧", "\u00a0", "\u3000", "\u202e", "\ufeff", "\uffff", "ABC", "abc", "020235", "20235", "aB", "ab", "u:ab",
        "0", "-1", "true", new('a', 256), new('a', 255), new('é', 128), string.Concat(Enumerable.Repeat("😀", 64)),
    ];

    private readonly HttpClient _client = server.Client;

    [Fact]
    public async Task AnyIdentifier_ThroughEveryRoute_RoundTripsAndStaysDistinct()
    {
        // Each target gets its own user, so that a mix-up of two targets shows in count, in hearted or in the list.
        for (var index = 0; index < Strange.Length; index++)
        {
            using var given = await _client.GiveAsync(Strange[index], $"user {index}");
            given.StatusCode.ShouldBe(HttpStatusCode.Created, Strange[index]);
            var heart = await given.JsonAsync();
            heart.GetProperty("target_id").GetString().ShouldBe(Strange[index]);
            heart.GetProperty("version").GetInt64().ShouldBe(1, Strange[index]);
            (await _client.GetAsync(given.Headers.Location).JsonAsync()).GetProperty("hearted").GetBoolean().ShouldBeTrue();
        }

        var query = JsonSerializer.Serialize(new { target_ids = Strange, user_id = "user 3" });
        var all = (await _client.PostJsonAsync(HeartClient.Hearts + "/query", query).JsonAsync()).GetProperty("hearts").EnumerateArray().ToArray();
        for (var index = 0; index < Strange.Length; index++)
        {
            all[index].GetProperty("target_id").GetString().ShouldBe(Strange[index]);
            all[index].GetProperty("count").GetInt64().ShouldBe(1);
            all[index].GetProperty("hearted").GetBoolean().ShouldBe(index == 3);
            var read = await _client.ReadAsync(Strange[index], $"user {index}").JsonAsync();
            read.GetProperty("target_id").GetString().ShouldBe(Strange[index]);
            read.GetProperty("hearted").GetBoolean().ShouldBeTrue();
            await ShouldListAsync(Strange[index], $"user {index}");
            (await _client.WithdrawAsync(Strange[index], $"user {index}").JsonAsync()).GetProperty("removed").GetBoolean().ShouldBeTrue();
        }
    }

    [Fact]
    public async Task AnyUser_ThroughEveryRoute_RoundTripsAndStaysDistinct()
    {
        var target = HeartClient.Fresh("post_");
        var users = Strange.Where(user => System.Text.Encoding.UTF8.GetByteCount(user) <= 128).ToArray();
        for (var index = 0; index < users.Length; index++)
        {
            using var given = await _client.GiveAsync(target, users[index]);
            var heart = await given.JsonAsync();
            heart.GetProperty("user_id").GetString().ShouldBe(users[index]);
            heart.GetProperty("count").GetInt64().ShouldBe(index + 1, users[index]);
        }

        foreach (var user in users) (await _client.ReadAsync(target, user).JsonAsync()).GetProperty("hearted").GetBoolean().ShouldBeTrue(user);
        foreach (var user in users) (await _client.WithdrawAsync(target, user).JsonAsync()).GetProperty("removed").GetBoolean().ShouldBeTrue(user);
    }

    private async Task ShouldListAsync(string target, string user)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var page = await _client.GetAsync($"{HeartClient.Hearts}/users?target_id={Uri.EscapeDataString(target)}").JsonAsync();
            page.GetProperty("target_id").GetString().ShouldBe(target);
            if (page.GetProperty("users").EnumerateArray().Select(listed => listed.GetProperty("user_id").GetString()).SequenceEqual([user])) return;
            giveUp.IsCancellationRequested.ShouldBeFalse($"{target} is not listed.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
