using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Sql;

namespace Postern.Relay.Tests.Accounts;

public sealed class SqlQueryTests
{
    [Theory]
    [InlineData("select password from users where email = @user")]
    [InlineData("select password from users where email = @user;  ")]
    [InlineData("select password -- it's here; really\nfrom users where email=@user")]
    [InlineData("select password /* @other; ' */ from users where email = lower(@user)")]
    [InlineData(@"select password from users where x = '\' and email = @user")]
    [InlineData("select password, @@version from users where email = @user")]
    [InlineData("select 'it''s; @other' as x, password from users where @user in (email, name)")]
    public void A_query_with_the_parameter_is_one(string query) => Assert.Null(SqlQuery.WhyNot(query));

    [Theory]
    [InlineData("select password from users", "it does not ask for the user")]
    [InlineData("select password from users where email = '@user'", "@user stands in quotation marks, where it is only text")]
    [InlineData("select password from users where email = \"@user\"", "in quotation marks")]
    [InlineData("select password from users -- where email = @user", "it does not ask for the user")]
    [InlineData("select password from users where email = @username", "there is no parameter @username; there is @user")]
    [InlineData("select password from users where email = @user; drop table users", "it is more than one statement")]
    [InlineData("select password from users where email = @user and x = 'open", "never closed")]
    [InlineData("select password from users where email = @user /* open", "never closed")]
    public void A_query_that_asks_for_nobody_is_refused(string query, string why) =>
        Assert.Contains(why, SqlQuery.WhyNot(query), StringComparison.Ordinal);

    [Fact]
    public void What_is_wrong_with_a_query_is_said_where_it_stands()
    {
        var problems = new List<string>();
        AccountStores.All.Single(static k => k.Word == "sqlite").Read(
            new StoreKeys(("query", "select password from users")) { Problems = problems }, new AccountSource("sqlite:///users.db", "mail.example.org"));
        Assert.StartsWith("query: it does not ask for the user", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x://app@db/app", "app", "db", null, "app")]
    [InlineData("x://app@db.example.org:5433/app", "app", "db.example.org", 5433, "app")]
    [InlineData("x://app@[::1]:5433/app", "app", "::1", 5433, "app")]
    [InlineData("x://app@/app", "app", "", null, "app")]
    [InlineData("x://a%40b@db/my%20app", "a@b", "db", null, "my app")]
    public void The_address_of_a_server_is_read(string uri, string user, string host, int? port, string database) =>
        Assert.Equal(new SqlAddress(user, host, port, database), SqlAddress.Parse(uri, out _));

    [Theory]
    [InlineData("x://app:hunter2@db/app")]
    [InlineData("x://app:hunter2@db/hunter2@x")]
    [InlineData("x://db/app")]
    [InlineData("x://app@db")]
    [InlineData("x://app@db/")]
    [InlineData("x://app@db/app?password=hunter2")]
    [InlineData("x://app@db:0/app")]
    [InlineData("x://app@d b/app")]
    [InlineData("x:app")]
    public void What_is_no_address_is_refused_and_not_quoted(string uri)
    {
        Assert.Null(SqlAddress.Parse(uri, out var problem));
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }
}
