using HeartGrains.Hosting;

namespace HeartGrains.Tests.Hosting;

public class RedisConnectionTests
{
    [Theory]
    [InlineData(",,,=")]
    [InlineData("password=secret")]
    [InlineData("a:6379,password=ab,secret=cd")]
    [InlineData("a:6379,connectTimeout=secret")]
    public void Parse_WhatCannotBe_NamesTheSetting(string connection)
    {
        var message = Should.Throw<StartException>(() => RedisConnection.Parse(connection)).Message;

        message.ShouldContain("--redis");
        message.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("redis")]
    [InlineData("my_redis:6380,password=secret")]
    [InlineData("127.0.0.1:6379,[::1]:6379")]
    public void Parse_Servers_AreTaken(string connection) => RedisConnection.Parse(connection).EndPoints.ShouldNotBeEmpty();
}
