using Google.Protobuf;
using Grpc.Core;
using HeartGrains.V1;

namespace HeartGrains.Tests.Grpc;

/// <summary>Messages at their bounds; those that are wrong are in <c>Tests/BadInput/</c>.</summary>
[Collection(GrpcCollection.Name)]
public sealed class GrpcMessageTests(GrpcServer server)
{
    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    public async Task Frame_OfAnotherProtocol_Is415(string contentType)
    {
        using var answer = await GrpcFrames.SendAsync(server.Url.ToString(), "Give", Convert.FromHexString("00000000030A0174"), contentType: contentType);
        ((int)answer.StatusCode).ShouldBe(415);
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
}
