-- Whose a quota is stands in a row as a keyed hash from here on. Rows under plain names are not looked for any more: once, these quotas begin whole.
delete from grain_state where key_text ~ '^(u|ip|t|mc):';
