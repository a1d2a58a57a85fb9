using System.Net;
using Postern.Relay.Tests.Accounts;

namespace Postern.Relay.Tests.Admin;

/// <summary>An HTTP interface is a thin layer over the same commands: each outcome has its status, and no rule is written twice.</summary>
public sealed class ExampleAccountsResourceTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void Each_outcome_of_a_command_has_its_status_and_the_sentence_that_the_command_line_prints()
    {
        var accounts = new ExampleAccountsResource(fixture.Commands, fixture.Queries);

        Assert.Equal(HttpStatusCode.Created, accounts.Answer("PUT", "Lisa@Example.org", """{"domains":["example.net"]}""").Status);
        Assert.Equal((HttpStatusCode.Conflict, """{"message":"account lisa@example.org exists already"}"""), accounts.Answer("PUT", "lisa@example.org"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, accounts.Answer("PUT", "two words").Status);
        Assert.Equal(HttpStatusCode.BadRequest, accounts.Answer("PUT", "bart", "not JSON").Status);
        Assert.Equal(HttpStatusCode.NotFound, accounts.Answer("DELETE", "nobody").Status);
        Assert.Equal(HttpStatusCode.OK, accounts.Answer("PATCH", "lisa@example.org", """{"enabled":false}""").Status);

        var (status, body) = accounts.Answer("GET", "lisa@example.org");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("""{"name":"lisa@example.org","enabled":false""", body, StringComparison.Ordinal);
        Assert.Contains("\"domains\":[\"example.net\"]", body, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_shown_of_a_credential_holds_neither_secret_nor_hash()
    {
        var secret = fixture.AddAccount("lisa@example.org");

        var (_, body) = new ExampleAccountsResource(fixture.Commands, fixture.Queries).Answer("GET", name: null);

        Assert.Contains("\"scheme\":\"SCRAM-SHA-256\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, body, StringComparison.Ordinal);
        Assert.DoesNotContain("SCRAM-SHA-256$", body, StringComparison.Ordinal);
    }
}
