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
    public void A_query_with_the_parameter_is_one(string query) => Assert.Null(SqlQuery.WhyNot(query, SqlDialect.Standard));

    [Theory]
    [InlineData(@"select password, name from users where x = '\'' and email = @user")]
    [InlineData(@"select password, name from users where x = ""\"";@other"" and email = @user")]
    [InlineData(@"select password, name from `users\` where email = @user")]
    [InlineData("select password, name # it's here; @other\nfrom users where email = @user")]
    [InlineData("select password, name -- it's here; @other\nfrom users where email = @user --")]
    [InlineData("select password, 1--1 as name from users where email = @user")]
    public void A_query_for_MySQL_is_read_as_MySQL_reads_it(string query) => Assert.Null(SqlQuery.WhyNot(query, SqlDialect.MySql));

    [Theory]
    [InlineData(@"select password, name from users where x = '\' and email = @user", "never closed")]
    [InlineData("select password, name from users # where email = @user", "it does not ask for the user")]
    [InlineData("select password, name from users --where email = @other", "there is no parameter @other")]
    [InlineData("select password, name from users where `email` = `@user`", "in quotation marks")]
    public void A_query_for_MySQL_that_asks_for_nobody_is_refused(string query, string why) =>
        Assert.Contains(why, SqlQuery.WhyNot(query, SqlDialect.MySql), StringComparison.Ordinal);

    [Theory]
    [InlineData("select password from users where email = @user", false)]
    [InlineData("select password, surname from users where email = @user -- as name", false)]
    [InlineData("select password, email as Name from users where email = @user", true)]
    [InlineData("select password, email as `name` from users where email = @user", true)]
    [InlineData("select * from users where email = @user", true)]
    public void In_MySQL_a_query_has_to_say_whose_account_it_is(string query, bool isRight)
    {
        var problems = new List<string>();
        AccountStores.All.Single(static k => k.Word == "mysql").Read(
            new StoreKeys(("query", query)) { Problems = problems }, new AccountSource("mysql://app@db.example.org/app", "mail.example.org"));
        if (isRight)
            Assert.Empty(problems);
        else
            Assert.StartsWith("query: it selects no column name: MySQL finds", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres", "postgres://app@/app", null, "uri: it names no host: write one, or the key 'socket'")]
    [InlineData("postgres", "postgres://app@db/app", "/run/postgresql", "socket: the URI names a host as well: leave one of them out")]
    [InlineData("postgres", "postgres://app@:5433/app", "/run/postgresql", null)]
    [InlineData("mysql", "mysql://app@:3307/app", "/run/mysqld/mysqld.sock", "uri: a socket has no port")]
    [InlineData("mysql", "mysql://app@/app", "/run/mysqld/mysqld.sock", null)]
    public void A_server_is_named_by_a_host_or_by_its_socket(string word, string uri, string? socket, string? problem)
    {
        var problems = new List<string>();
        (string, string)[] keys = [("query", "select password, email as name from users where email = @user"), .. socket is null ? Array.Empty<(string, string)>() : [("socket", socket)]];
        AccountStores.All.Single(k => k.Word == word).Read(new StoreKeys(keys) { Problems = problems }, new AccountSource(uri, "mail.example.org"));
        Assert.Equal(problem is null ? [] : [problem], problems);
    }

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
        Assert.Contains(why, SqlQuery.WhyNot(query, SqlDialect.Standard), StringComparison.Ordinal);

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
    [InlineData("x://app@:5433/app", "app", "", 5433, "app")]
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
