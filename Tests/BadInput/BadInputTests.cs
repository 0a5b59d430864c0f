using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Grpc;

namespace HeartGrains.Tests.BadInput;

/// <summary>What callers get wrong, as one table: each case is answered with its status and problem, none as a fault of ours, and the server is as whole as before.</summary>
public sealed class BadInputTests(BadInputServer server) : IClassFixture<BadInputServer>
{
    private const int AtLeast = 60;
    private static readonly StatusCode[] Ours = [StatusCode.Unknown, StatusCode.Internal, StatusCode.Unavailable, StatusCode.DataLoss, StatusCode.DeadlineExceeded, StatusCode.OK];

    public static TheoryData<string, string> Cases { get; } = [.. BadInputTable.All];

    [Fact]
    public void Table_EachKind_HasItsCasesAndNoneTwice()
    {
        BadInputTable.All.Select(static one => one.Kind).Distinct().ShouldBe(["hearts", "jwt", "grpc", "admin"]);
        foreach (var kind in BadInputTable.All.GroupBy(static one => one.Kind)) kind.Count().ShouldBeGreaterThanOrEqualTo(AtLeast, kind.Key);
        BadInputTable.All.ShouldBeUnique();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Call_OfTheTable_IsRefusedAsItSaysAndChangesNothing(string kind, string row)
    {
        using var parsed = JsonDocument.Parse(row);
        await (kind switch
        {
            "jwt" => TokenAsync(parsed.RootElement),
            "grpc" => GrpcAsync(parsed.RootElement),
            _ => HttpAsync(parsed.RootElement),
        });
        await server.ShouldBeWholeAsync();
    }

    private async Task HttpAsync(JsonElement row)
    {
        var call = BadInputTable.TextOf(row, "call")!.Split(' ', 2);
        using var request = new HttpRequestMessage(new HttpMethod(call[0]), new Uri(server.Url + call[1][1..], new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (BadInputServer.BearerOf(BadInputTable.TextOf(row, "as")) is { } bearer) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (BadInputTable.TextOf(row, "body") is { } body)
        {
            body.ShouldAllBe(static letter => letter <= 0xFF);
            request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body));
            var type = row.TryGetProperty("content", out var content) ? content.GetString() : "application/json";
            if (type is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            request.Headers.TransferEncodingChunked = row.TryGetProperty("chunked", out _) ? true : null;
        }

        using var answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        var problem = await ShouldBeRefusedAsync(answer, row);
        if (BadInputTable.TextOf(row, "allow") is { } allow) answer.Content.Headers.Allow.Order(StringComparer.Ordinal).ShouldBe(allow.Split(", "));
        if (!problem.TryGetProperty("errors", out var errors))
        {
            row.TryGetProperty("fields", out _).ShouldBeFalse(problem.ToString());
            return;
        }

        string.Join(',', errors.EnumerateObject().Select(static field => field.Name).Order(StringComparer.Ordinal)).ShouldBe(BadInputTable.TextOf(row, "fields"), problem.ToString());
        errors.EnumerateObject().ShouldAllBe(static field => field.Value.GetArrayLength() > 0);
    }

    /// <summary>Over HTTP and over gRPC, which believe the same.</summary>
    private async Task TokenAsync(JsonElement row)
    {
        var user = HeartClient.Fresh("u");
        var (token, named) = (BadTokens.Of(row, user), BadInputTable.TextOf(row, "user"));
        var fields = named is null ? new() : new Dictionary<string, string> { ["user_id"] = named };
        fields["target_id"] = "t";
        using var request = new HttpRequestMessage(HttpMethod.Post, HeartClient.Hearts) { Content = new StringContent(JsonSerializer.Serialize(fields), Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using var answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await ShouldBeRefusedAsync(answer, row);
        var status = (int)answer.StatusCode;
        if (status == 401) answer.Headers.WwwAuthenticate.ToString().ShouldMatch("^Bearer error=\"invalid_token\", error_description=\"[ -!#-~]+\"$");
        if (BadInputTable.TextOf(row, "told") is { } told) answer.Headers.WwwAuthenticate.ToString().ShouldContain(told);

        var message = new V1.GiveRequest { TargetId = "t" };
        if (named is not null) message.UserId = named;
        using var called = await GrpcFrames.SendAsync(server.Grpc, "Give", GrpcFrames.Of(message), "authorization", "Bearer " + token);
        ShouldBeRefused(called, status == 401 ? StatusCode.Unauthenticated : StatusCode.PermissionDenied, row.GetProperty("problem").GetString()!.Replace('-', '_').ToUpperInvariant(), null);
    }

    private async Task GrpcAsync(JsonElement row)
    {
        var call = row.GetProperty("call").GetString()!;
        var frame = BadInputTable.TextOf(row, "message") is { } json
            ? GrpcFrames.Of(JsonParser.Default.Parse(json, V1.Hearts.Descriptor.FindMethodByName(call).InputType))
            : Convert.FromHexString(row.GetProperty("frame").GetString()!);
        var bearer = BadInputServer.BearerOf(BadInputTable.TextOf(row, "as")) is { } key ? "authorization: Bearer " + key : null;
        var header = (bearer ?? BadInputTable.TextOf(row, "header"))?.Split(": ");

        using var answer = await GrpcFrames.SendAsync(server.Grpc, call, frame, header?[0], header?[1]);

        ShouldBeRefused(answer, Enum.Parse<StatusCode>(row.GetProperty("status").GetString()!), row.GetProperty("reason").GetString()!, BadInputTable.TextOf(row, "fields"));
    }

    private static async Task<JsonElement> ShouldBeRefusedAsync(HttpResponseMessage answer, JsonElement row)
    {
        ((int)answer.StatusCode).ShouldBeInRange(400, 499);
        if ((int)answer.StatusCode == 401) answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
        return await answer.ShouldBeProblemAsync(row.GetProperty("status").GetInt32(), row.GetProperty("problem").GetString()!);
    }

    private static void ShouldBeRefused(HttpResponseMessage answer, StatusCode status, string reason, string? fields)
    {
        ((int)answer.StatusCode).ShouldBe(200);
        var told = GrpcFrames.StatusOf(answer);
        Ours.ShouldNotContain(told);
        var details = GrpcFrames.DetailsOf(answer).ShouldNotBeNull();
        (told, details.GetDetail<Google.Rpc.ErrorInfo>().Reason).ShouldBe((status, reason));
        var violations = details.GetDetail<Google.Rpc.BadRequest>()?.FieldViolations.Select(static violation => violation.Field) ?? [];
        if (fields is not null || told == StatusCode.InvalidArgument) string.Join(',', violations).ShouldBe(fields ?? "");
    }
}
