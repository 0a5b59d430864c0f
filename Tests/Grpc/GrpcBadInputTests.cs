using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using HeartGrains.V1;

namespace HeartGrains.Tests.Grpc;

/// <summary>What clients get wrong is never told as our fault.</summary>
[Collection(GrpcCollection.Name)]
public sealed class GrpcBadInputTests(GrpcServer server)
{
    /// <summary>A method, its message as JSON, and the fields at fault; <c>XnnnX</c> stands for so many letters.</summary>
    public static TheoryData<string, string, string> Messages { get; } = new()
    {
        { "Give", "{}", "target_id" },
        { "Give", """{"targetId":"","userId":""}""", "target_id,user_id" },
        { "Give", """{"targetId":"X257X","userId":"X129X"}""", "target_id,user_id" },
        { "Give", """{"targetId":"t","userId":"u","campaignId":""}""", "campaign_id" },
        { "Give", """{"targetId":"t","userId":"u","campaignId":"X65X"}""", "campaign_id" },
        { "Give", """{"targetId":"t\n","userId":"u\u0000"}""", "target_id,user_id" },
        { "Give", """{"targetId":"t\u0085","userId":"u\u007f"}""", "target_id,user_id" },
        { "Give", """{"targetId":"t","userId":"reader:x"}""", "user_id" },
        { "Give", """{"targetId":"t","userId":"erased:x"}""", "user_id" },
        { "Withdraw", """{"userId":"u"}""", "target_id" },
        { "Withdraw", """{"targetId":"t","userId":"X129X"}""", "user_id" },
        { "Get", """{"targetId":"X257X"}""", "target_id" },
        { "Get", """{"targetId":"t","userId":""}""", "user_id" },
        { "Query", "{}", "target_ids" },
        { "Query", """{"targetIds":[X101X]}""", "target_ids" },
        { "Query", """{"targetIds":["t","","X257X"]}""", "target_ids[1],target_ids[2]" },
        { "Query", """{"targetIds":["t"],"userId":"u\u0001"}""", "user_id" },
        { "Users", "{}", "target_id" },
        { "Users", """{"targetId":"t","limit":0}""", "limit" },
        { "Users", """{"targetId":"t","limit":101}""", "limit" },
        { "Users", """{"targetId":"t","limit":-1}""", "limit" },
        { "Users", """{"targetId":"t","cursor":""}""", "cursor" },
        { "Users", """{"targetId":"t","cursor":"X9000X"}""", "cursor" },
        { "Watch", "{}", "target_ids" },
        { "Watch", """{"targetIds":[X201X]}""", "target_ids" },
        { "Watch", """{"targetIds":["t"],"knownVersions":{"other":1}}""", "known_versions" },
        { "Watch", """{"targetIds":["t"],"knownVersions":{"t":-1}}""", "known_versions" },
        { "AcquireQuota", """{"tokens":1}""", "user_id" },
        { "AcquireQuota", """{"userId":"u"}""", "tokens" },
        { "AcquireQuota", """{"userId":"u","tokens":"-1"}""", "tokens" },
        { "AcquireQuota", """{"userId":"u","tokens":"9007199254740993"}""", "tokens" },
        { "AcquireQuota", """{"userId":"reader:x","tokens":1}""", "user_id" },
    };

    /// <summary>A method, a body in hexadecimal, a header, the content type, and what is told: HTTP's status, the code, the reason.</summary>
    public static TheoryData<string, string, string, string, int, StatusCode, string> Frames { get; } = new()
    {
        { "Give", "", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "00", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "0000000010", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "00FFFFFFFF", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "007FFFFFFF", "", "application/grpc", 200, StatusCode.ResourceExhausted, "BODY_TOO_LARGE" },
        { "Give", "07000000020A00", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "01000000020A00", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "01000000020A00", "grpc-encoding: gzip", "application/grpc", 200, StatusCode.Unimplemented, "UNSUPPORTED_MEDIA_TYPE" },
        { "Give", "01000000020A00", "grpc-encoding: unheard-of", "application/grpc", 200, StatusCode.Unimplemented, "UNSUPPORTED_MEDIA_TYPE" },
        { "Give", "0000000002FFFF", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "00000000050A03C328FF", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "00000000060A01741201FF", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Give", "00000000030A017400000000030A0174", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Watch", "0000000002FFFF", "", "application/grpc", 200, StatusCode.InvalidArgument, "BAD_REQUEST" },
        { "Love", "00000000030A0174", "", "application/grpc", 200, StatusCode.Unimplemented, "METHOD_NOT_ALLOWED" },
        { "/heartgrains.v2.Hearts/Give", "00000000030A0174", "", "application/grpc", 200, StatusCode.Unimplemented, "METHOD_NOT_ALLOWED" },
        { "/", "00000000030A0174", "", "application/grpc", 200, StatusCode.Unimplemented, "METHOD_NOT_ALLOWED" },
        { "Give", "00000000030A0174", "", "application/json", 415, StatusCode.OK, "" },
        { "Give", "00000000030A0174", "", "application/grpc-web", 415, StatusCode.OK, "" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task Message_OutOfBounds_IsAnInvalidArgumentWithItsFields(string method, string json, string fields)
    {
        var descriptor = V1.Hearts.Descriptor.FindMethodByName(method).InputType;
        var message = JsonParser.Default.Parse(Filled(json), descriptor);
        using var answer = await GrpcFrames.SendAsync(server.Url.ToString(), method, GrpcFrames.Of(message));
        GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.InvalidArgument);
        var details = GrpcFrames.DetailsOf(answer).ShouldNotBeNull();
        string.Join(',', details.GetDetail<Google.Rpc.BadRequest>().FieldViolations.Select(violation => violation.Field)).ShouldBe(fields);
        details.GetDetail<Google.Rpc.ErrorInfo>().Reason.ShouldBe(fields == "cursor" ? "INVALID_CURSOR" : "INVALID_FIELDS");
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public async Task Frame_ThatIsNone_IsToldAsTheCallersFault(string method, string hex, string header, string contentType, int status, StatusCode code, string reason)
    {
        var logged = server.Gateway.Log.All.Count;
        var (name, value) = header.Split(": ") is [var first, var second] ? (first, second) : (null, null);
        using var answer = await GrpcFrames.SendAsync(server.Url.ToString(), method, Convert.FromHexString(hex), name, value, contentType);
        ((int)answer.StatusCode).ShouldBe(status);
        if (status == 200)
        {
            GrpcFrames.StatusOf(answer).ShouldBe(code);
            GrpcFrames.DetailsOf(answer).ShouldNotBeNull().GetDetail<Google.Rpc.ErrorInfo>().Reason.ShouldBe(reason);
        }

        server.Gateway.Log.All.Skip(logged).Select(static line => line.Text).ShouldBeEmpty();
    }

    [Fact]
    public async Task Message_LongerThanAnyNeeds_IsRefusedBeforeItIsRead()
    {
        using var answer = await GrpcFrames.SendAsync(server.Url.ToString(), "Query", GrpcFrames.Of(new byte[1024 * 1024]));
        GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.ResourceExhausted);
        GrpcFrames.DetailsOf(answer).ShouldNotBeNull().GetDetail<Google.Rpc.ErrorInfo>().Reason.ShouldBe("BODY_TOO_LARGE");
    }

    [Fact]
    public async Task Message_WithFieldsOfALaterVersion_IsTaken()
    {
        var message = new GetRequest { TargetId = "t" }.ToByteArray();
        using var answer = await GrpcFrames.SendAsync(server.Url.ToString(), "Get", GrpcFrames.Of([.. message, 0xA2, 0x06, 0x01, 0x78]));
        GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.OK);
    }

    private static string Filled(string json) => System.Text.RegularExpressions.Regex.Replace(json, "(?<list>\\[?)X(?<count>\\d+)X", static match =>
    {
        var count = int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture);
        return match.Groups["list"].Length == 0 ? new string('x', count) : "[" + string.Join(',', Enumerable.Range(0, count).Select(static number => $"\"t{number}\""));
    }, System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
}
