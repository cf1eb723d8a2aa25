/** An invented session that can be moved in: of nobody, and its keys were never used. */
export const EXAMPLE_SESSION = [
  'H4sIAAAAAAACA42SW6+iPBSG/0tvJSMHOZnsZEDBM4KICHcVClaQQykie+J/n7gPyVx83469Wmmbp896V/+AiKC4AeM/oChxg1ao',
  'f9YVwTdI0bOkfYXAGOhtkiACGBBDCsEYREanqdsbb46cYbvq16e+c+vI8eHuttx2gbTK54Y046u50LyBBwOq9pTj6Adg2s3lUt3K',
  '09n7foU0HM1PQX/ooNBXE5Eka1PrwosGUbPL3sDjwYAGpwWKFzEqKKb9y+L1bOVX4mw+arHV1pYUG8HI3HWRb5AV3UzMiJ/t7aW7',
  'NVnvNXGI9ldeP4e55faSny8zGAjv54s/LwQungqIOtEBorWbHo1/xW3yHXaGehti8pr+TB8o2lFGLrvUUTkJpZHEXluX6kRcDiaX',
  '07G6QzFVecUrX9OnXtMKij68qfqmc7Qb6bwBL4dScjPvASU4cwUnS624uvyjD2lLfrLU6Og40X06sEZXnSuCzI4ccSiHQjgnczYK',
  'kWJHXsWyJyQdLHhxONUuS3972Brmmltzx/vckwpLROle7sXN0BtSQ9Odt4+OMtQvYjDmHgwgKMUNJZDisnjuiQoDYHxzUUQQ/UgX',
  'FNtBxHKOZXSJ0qGFdFIXaijhug/Dnc1elwdaT891ecGh9gYYUKA7/ZzMkycwIMGkoV7RVnkJ4++pfZ19Po8IisE4gXmDGHD9SAXH',
  'YAxEkePU7zWWfze/ujOkDayqXwWigAH5xzVekARV5JSRKLOCIo3l3899BhTwyQLuuayeXcMoKtuCPukxohDnzQ/xTzTDSddb2HRB',
  'oHefsX0B3O/pfX2+/yGEZGVs63pyWNaKVp0KnnOzGqvzER0OzKvoVWl9zRMlIqbxn/Qf0IZtstopmJWZWdryIM13h0V5aENv+m5l',
  'JO7Wxf0wjQUsHRppr3hxPmzeeXjeG/lo43D8BdcLqudHQXcaK1FQNZzUK+2ryRjdcIReseiUvS8EnqIZfp3tz1jrhizUV83EuWyF',
  'vMTGWYv4GCPY3+MNTGKu4ZJkR62hfY98O0EWGuyQfZWnywA11LeVKrT19GnxeDz+Aj2i66ZWBQAA',
].join('');
