//! Databases.

use super::{Rule, Seen};
use crate::danger::Risk;
use crate::danger::call::Call;

pub const RULES: &[Rule] = &[DESTRUCTION, SQL_RULE];

const DESTRUCTION: Rule = Rule {
    id: "database-destruction",
    risk: Risk::High,
    reason: "It deletes data or tables of a database.",
    seen: Seen::Call(destroys),
    dangerous: &[
        "psql -c 'DROP TABLE users'",
        "psql mydb -c 'drop database x'",
        "mysql -e 'TRUNCATE orders'",
        "sqlite3 x.db 'DELETE FROM users;'",
        "psql <<E\nDROP SCHEMA public CASCADE;\nE",
        "echo 'drop table x' | psql",
        "dropdb production",
        "redis-cli FLUSHALL",
        "mongosh --eval 'db.dropDatabase()'",
        "rails db:drop",
        "npx prisma migrate reset",
        "php artisan migrate:fresh",
        "python manage.py flush",
        "mysqladmin drop x",
        "psql -c 'select 1; DR/**/OP TABLE x; drop/* */table y'",
    ],
    harmless: &[
        "psql -c 'select 1'",
        "mysql -e 'SHOW TABLES'",
        "sqlite3 x.db 'DELETE FROM users WHERE id = 3'",
        "redis-cli GET x",
        "rails db:migrate",
        "npx prisma generate",
        "mongosh --eval 'db.users.find()'",
        "grep -rn 'DROP TABLE' migrations",
        "pg_dump x",
    ],
};

const SQL_RULE: Rule = Rule {
    id: "destructive-sql",
    risk: Risk::High,
    reason: "It holds SQL that deletes a database, a table or all of its rows.",
    seen: Seen::Content("migrations/1.sql"),
    dangerous: &["DROP DATABASE x;", "select 1;\ntruncate table users;", "delete from users;"],
    harmless: &["CREATE TABLE x (id int);", "-- drop table x\nselect 1;", "delete from x where id = 1;"],
};

/// Seen in files.
pub const SQL: &Rule = &SQL_RULE;

const CLIENTS: &[&str] = &[
    "psql",
    "mysql",
    "mariadb",
    "sqlite3",
    "sqlite",
    "sqlcmd",
    "clickhouse-client",
    "clickhouse",
    "duckdb",
    "cockroach",
    "cqlsh",
    "bq",
    "snowsql",
    "sqlplus",
    "usql",
    "pgcli",
    "mycli",
    "litecli",
    "turso",
    "wrangler",
    "invoke-sqlcmd",
    "isql",
];

fn destroys(call: &Call<'_>) -> bool {
    if CLIENTS.contains(&call.name.as_str()) {
        return call.texts().any(destructive_sql) || call.input.text().is_some_and(destructive_sql);
    }
    let scripted = || call.texts().chain(call.input.text());
    match call.name.as_str() {
        "dropdb" | "dropuser" => true,
        "mysqladmin" => call.operands().any(|text| text == "drop"),
        "redis-cli" | "valkey-cli" => {
            call.says(&["flushall", "flushdb"]) || scripted().any(|text| text.to_lowercase().contains("flushall"))
        }
        "mongo" | "mongosh" => scripted().any(|text| {
            let code: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            code.contains("dropDatabase(")
                || code.contains(".drop(")
                || code.contains("deleteMany({})")
                || code.contains("remove({})")
        }),
        "pg_restore" => call.option('c', "clean"),
        "etcdctl" => call.operand(0) == "del" && call.has(&["--prefix", "--from-key"]),
        "prisma" => (call.begins(&["migrate", "reset"])) || call.has(&["--force-reset", "--accept-data-loss"]),
        "supabase" => call.begins(&["db", "reset"]),
        "alembic" => call.begins(&["downgrade"]),
        "rails" | "rake" | "php" | "artisan" | "mix" | "sequelize" | "sequelize-cli" | "heroku" | "typeorm"
        | "console" => call.operands().take(3).any(task),
        "python" | "python3" | "manage.py" | "django-admin" => {
            call.operands().take(2).any(|text| matches!(text, "flush" | "reset_db" | "sqlflush"))
        }
        _ => false,
    }
}

/// Tasks of frameworks.
fn task(word: &str) -> bool {
    let tasks = [
        "db:drop",
        "db:reset",
        "db:purge",
        "db:wipe",
        "db:truncate_all",
        "db:schema:load",
        "migrate:fresh",
        "migrate:reset",
        "migrate:refresh",
        "schema:drop",
        "db:drop:all",
        "pg:reset",
        "ecto.drop",
        "ecto.reset",
    ];
    tasks.contains(&word)
}

/// Whether a text has a statement that deletes what a database holds.
pub fn destructive_sql(text: &str) -> bool {
    let plain = without_comments(text).to_lowercase();
    plain.split(';').any(|statement| {
        let words: Vec<&str> =
            statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
        let things = ["table", "database", "schema", "user", "role", "keyspace", "collection", "tablespace", "owned"];
        words.windows(2).any(|pair| pair[0] == "drop" && things.contains(&pair[1]))
            || words.first() == Some(&"truncate")
            || words.windows(2).any(|pair| pair == ["truncate", "table"])
            || (words.windows(2).any(|pair| pair == ["delete", "from"]) && !words.contains(&"where"))
    })
}

/// `/* … */` and `-- …`; a comment divides words, but some servers join what it divides, so the
/// text is looked at in both ways.
fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    for gap in ["", " "] {
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("/*") {
            plain.push_str(before);
            plain.push_str(gap);
            rest = behind.split_once("*/").map_or("", |(_, behind)| behind);
        }
        plain.push_str(rest);
        plain.push(';');
    }
    plain.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}
